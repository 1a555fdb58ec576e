# SPDX-License-Identifier: Apache-2.0
"""The tool that reads dockerd's options in a clone of moby; the clone here is a few lines of Go."""

import subprocess

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import options, versions

from slipway import engine_options

CONFIG = """\
package config
type Config struct {
	Root string `json:"data-root,omitempty"`
	Labels []string `json:"labels,omitempty"`
	Internal string `json:"internal,omitempty"`
	Builder Builder `json:"builder"`
	Proxies `json:"proxies"`
	Graph string `json:"graph,omitempty"`
}
type Proxies struct {
	HTTPProxy string `json:"http-proxy,omitempty"`
}
var skipValidateOptions = map[string]bool{
	"builder": true,
	"ignored": true,
}
"""
FLAGS = """\
package main
	flags.StringVar(&conf.Root, "data-root", "", "the \\"internal\\" root")
	flags.Var(opts.NewNamedListOptsRef("labels", &conf.Labels, nil), "label", "labels")
	flags.StringVar(&conf.HTTPProxy, "http-proxy", "", "")
	flags.StringVar(&conf.Graph, "graph", "", "")
"""
GONE = 'if conf.Graph != "" { return errors.New(`the "graph" option has been removed`) }\n'


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> engine_options.Checkout:
    """Two minor releases: the second one, whose tag has the newer form, has one more option, and one less."""
    path = tmp_path_factory.mktemp("moby")

    def commit(tag: str, files: dict[str, str]) -> None:
        for name, text in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(text)
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", tag], ["tag", tag]):
            identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
            subprocess.run(["git", "-C", str(path), *identity, *command], check=True)

    commit("v28.0.0-rc.1", {"daemon/config/config.go": CONFIG})
    commit("v28.0.1", {"cmd/dockerd/config.go": FLAGS, "daemon/config/config_windows.go": 'X `json:"windows"`'})
    later = CONFIG.replace("\tGraph", '\tNew string `json:"brand-new"`\n\tGraph')
    files = {"cmd/dockerd/config.go": "", "daemon/command/config.go": FLAGS + '"brand-new"\n' + GONE}
    commit("docker-v29.0.0", {"daemon/config/config.go": later, **files})
    return engine_options.Checkout(path)


def test_options_are_what_a_flag_or_the_list_without_flags_names(checkout: engine_options.Checkout) -> None:
    assert checkout.last_tags() == {(28, 0): "v28.0.1", (29, 0): "docker-v29.0.0"}
    assert checkout.accepted("v28.0.1") == {"data-root", "labels", "builder", "ignored", "proxies", "graph"}


def test_an_option_has_a_first_release_and_one_that_refuses_it(checkout: engine_options.Checkout) -> None:
    found = engine_options.history(checkout)
    assert found["labels"] == ((28, 0), None)
    assert found["brand-new"] == ((29, 0), None)
    assert found["graph"] == ((28, 0), (29, 0))


def test_each_difference_from_the_tables_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "KNOWN", {"graph", "later", "made-up"})
    monkeypatch.setattr(versions, "INTRODUCED", (((25, 0), "option", "later"), ((24, 0), "features", "x")))
    monkeypatch.setattr(versions, "REMOVED", (((23, 0), "option", "graph", "remove it"),))
    found: dict[str, tuple[engine_options.Release, engine_options.Release | None]] = {
        "graph": ((20, 10), (23, 0)),
        "later": ((26, 0), (27, 0)),
        "unheard": ((20, 10), None),
    }
    assert list(engine_options.differences(found)) == [
        "unheard: dockerd has it (from 20.10 on), and options.KNOWN lacks it",
        "made-up: options.KNOWN has it, and no release of dockerd accepts it",
        "later: new in 26.0, and versions.INTRODUCED says 25.0",
        "later: gone in 27.0, and versions.REMOVED says nothing",
    ]
