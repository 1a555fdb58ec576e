# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tokens that are known by how they begin.

Compared on 2026-11-29 with a part of the default rules of gitleaks as of 2026-07-22 (commit b58d3f10), so tokens that
gitleaks knows may be missing. docs/development/lists.md says how to refresh the list. Providers whose tokens have no
fixed beginning are missing on purpose.
"""

WORDS = r"[A-Za-z0-9_-]"
LETTERS = r"[A-Za-z0-9]"
HEX = r"[0-9a-fA-F]"

# What it is; how it may begin: the last character is the separator by which it is found; the rest, of which the
# first 16 characters must be letters, digits, _ or -.
TOKENS = [
    # Containers.
    ("a Docker token", "dckr_pat_ dckr_oat_", WORDS + r"{20}"),
    ("a Docker swarm token", "SWMTKN-1-", r"[a-z0-9]{40,50}-[a-z0-9]{20,25}"),
    ("a Docker swarm unlock key", "SWMKEY-1-", r"[A-Za-z0-9+/]{43}"),
    # Cloud consoles.
    ("a Google OAuth secret", "GOCSPX-", WORDS + r"{28}"),
    ("a Google access token", "ya29.", WORDS + r"{30}"),
    ("a DigitalOcean token", "doo_v1_ dop_v1_ dor_v1_", r"[0-9a-f]{64}"),
    ("an Amazon Bedrock key", "bedrock-api-key-", LETTERS + r"{24}"),
    ("a Heroku key", "HRKU-", r"AA" + WORDS + r"{58}"),
    ("a Fly.io token", "fm1a_ fm1r_ fm2_", r"[A-Za-z0-9+/]{100}"),
    ("a Fly.io token", "fo1_", WORDS + r"{43}"),
    ("a Netlify token", "nfp_", LETTERS + r"{36}"),
    ("a Cloudflare origin CA key", "v1.0-", r"[0-9a-f]{24}-[0-9a-f]{146}"),
    ("a Tailscale key", "tskey-api- tskey-auth- tskey-client-", LETTERS + r"{8,20}-" + LETTERS + r"{20}"),
    # Source hosting and builds.
    ("a GitHub token", "gho_ ghp_ ghr_ ghs_ ghu_", LETTERS + r"{36}"),
    ("a GitHub token", "github_pat_", r"[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    (
        "a GitLab token",
        "glagent- glcbt- gldt- glffct- glft- glimt- gloas- glpat- glptt- glrt- glsoat-",
        WORDS + r"{20}",
    ),
    ("a Sourcegraph token", "sgp_", r"(?:[0-9a-fA-F]{16}_)?[0-9a-fA-F]{40}"),
    ("a CircleCI token", "CCIPAT_", LETTERS + r"{16,30}_[0-9a-f]{40}"),
    ("a Buildkite token", "bkua_", r"[0-9a-z]{40}"),
    ("a Harness token", "pat.", WORDS + r"{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}"),
    ("a Pulumi token", "pul-", r"[0-9a-f]{40}"),
    ("a Prefect token", "pnu_", LETTERS + r"{36}"),
    ("a Postman key", "PMAK-", HEX + r"{24}-[0-9a-fA-F]{34}"),
    ("a Linear key", "lin_api_", LETTERS + r"{40}"),
    ("an Octopus Deploy key", "API-", r"[A-Z0-9]{26}"),
    # Package registries.
    ("an npm token", "npm_", LETTERS + r"{36}"),
    ("a PyPI token", "pypi-", r"AgE" + WORDS + r"{50}"),
    ("a RubyGems key", "rubygems_", r"[0-9a-f]{48}"),
    ("a Clojars token", "CLOJARS_", r"[a-z0-9]{60}"),
    # AI services.
    ("an Anthropic key", "sk-ant-admin01- sk-ant-api03- sk-ant-oat01-", WORDS + r"{80}"),
    ("an OpenAI key", "sk-admin- sk-proj- sk-svcacct-", WORDS + r"{40}"),
    ("an OpenAI key", "sk-", r"[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
    ("an OpenRouter key", "sk-or-v1-", r"[0-9a-f]{64}"),
    ("a Hugging Face token", "api_org_ hf_", LETTERS + r"{34}"),
    ("a Groq key", "gsk_", LETTERS + r"{52}"),
    ("an xAI key", "xai-", LETTERS + r"{80}"),
    ("a Perplexity key", "pplx-", LETTERS + r"{48}"),
    ("a Replicate token", "r8_", LETTERS + r"{37}"),
    ("an NVIDIA key", "nvapi-", WORDS + r"{60}"),
    ("a Pinecone key", "pcsk_", LETTERS + r"{4,8}_[A-Za-z0-9]{40}"),
    ("a LangSmith key", "lsv2_pt_ lsv2_sk_", r"[0-9a-f]{32}_[0-9a-f]{10}"),
    # Chat and mail.
    ("a Slack token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-", r"[0-9]{1,20}-[A-Za-z0-9-]{20}"),
    ("a Slack token", "xapp-", r"[0-9]-[A-Z0-9]{8,20}-[0-9]{8,20}-[0-9a-f]{20}"),
    ("a SendGrid key", "SG.", WORDS + r"{22}\." + WORDS + r"{43}"),
    ("a Brevo key", "xkeysib-", r"[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    ("a Mailgun key", "key-", r"[0-9a-f]{32}(?![0-9a-zA-Z-])"),
    ("a Notion token", "ntn_", r"[0-9]{11}[A-Za-z0-9]{35}"),
    ("a Figma token", "figd_", WORDS + r"{40}"),
    # Databases.
    ("a PlanetScale secret", "pscale_oauth_ pscale_pw_ pscale_tkn_", r"[A-Za-z0-9_=.-]{32}"),
    ("a Supabase key", "sbp_", r"[0-9a-f]{40}"),
    ("a Supabase key", "sb_secret_", WORDS + r"{22}_[A-Za-z0-9_-]{8}"),
    # Monitoring.
    ("a Grafana token", "glsa_", LETTERS + r"{32}_[0-9a-fA-F]{8}"),
    ("a Grafana token", "glc_", r"[A-Za-z0-9+/]{32}"),
    ("a New Relic key", "NRAK-", r"[A-Z0-9]{27}"),
    ("a Dynatrace token", "dt0c01. dt0s01.", LETTERS + r"{24}\.[A-Za-z0-9]{64}"),
    ("a Sentry token", "sntryu_", r"[0-9a-f]{64}"),
    ("a Sentry token", "sntrys_", r"eyJ[A-Za-z0-9+/=]{30,400}_[A-Za-z0-9+/]{43}"),
    # Secret stores.
    ("a Vault token", "hvb. hvr. hvs.", WORDS + r"{24}"),
    ("a Doppler token", "dp.audit. dp.ct. dp.pt. dp.scim. dp.st. dp.sa.", LETTERS + r"{40}"),
    ("a 1Password token", "ops_", r"eyJ[A-Za-z0-9+/]{200}"),
    ("a 1Password secret key", "A3-", r"[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}"),
    ("a private key", "AGE-SECRET-KEY-", r"1[A-Z0-9]{58}"),
    # Payment and shops.
    ("a Stripe key", "rk_live_ rk_prod_ sk_live_ sk_prod_", LETTERS + r"{24}"),
    ("a Square token", "sq0atp- sq0csp-", WORDS + r"{22}"),
    ("a Shopify token", "shpat_ shpca_ shppa_ shpss_", HEX + r"{32}"),
]

# Tokens that begin with letters alone are looked for only as a value, after = or : and in quotes or not.
VALUES = [
    ("a Databricks token", r"dapi[0-9a-f]{32}(?:-[0-9])?"),
    ("a GitLab token", r"GR1348941[A-Za-z0-9_-]{20}"),
    ("an Artifactory key", r"(?:AKCp[A-Za-z0-9]{69}|cmVmd[A-Za-z0-9]{59})"),
    ("an Atlassian token", r"ATATT3x[A-Za-z0-9_=-]{80,300}"),
    ("a Bitbucket token", r"ATBB[A-Za-z0-9]{28}"),
    ("a crates.io token", r"cio[A-Za-z0-9]{32}"),
    ("a NuGet key", r"oy2[a-z0-9]{43}"),
    ("an Amazon Bedrock key", r"ABSK[A-Za-z0-9+/]{109,269}"),
    ("a ClickHouse key", r"4b1d[A-Za-z0-9]{38}"),
    ("an EasyPost key", r"EZAK[A-Za-z0-9]{54}"),
    ("a Facebook token", r"EAA[MC][A-Za-z0-9]{100,400}"),
    ("a Twilio key", r"SK[0-9a-f]{32}"),
]
