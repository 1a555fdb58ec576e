# An AMI by playbooks/bake.yml, for those who use Packer. From the clone, after `make setup`:
#   packer init packer && packer build -var-file=my.pkrvars.hcl packer
#
# What has validated this: tests/unit/test_packer.py, by which it parses and names files, groups and variables that exist;
# by hand, `packer fmt` and `packer validate` of Packer 1.6.6, without what it does not know: plugins.pkr.hcl,
# metadata_options and imds_support. No newer Packer has read it, and no AMI was built with it.
#
# No credential belongs here: Packer takes those of the environment, a profile or a role, as the AWS command line does.

source "amazon-ebs" "docker" {
  ami_name      = var.ami_name
  region        = var.region
  instance_type = var.instance_type
  subnet_id     = var.subnet_id
  encrypt_boot  = true
  kms_key_id    = var.kms_key_id

  source_ami_filter {
    owners      = [var.source_ami_owner]
    most_recent = true
    filters = {
      name                = var.source_ami_name
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
  }

  # IMDSv2 alone: of the instance that is baked, then of all that are made from the AMI.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  imds_support = "v2.0"

  communicator            = "ssh"
  ssh_username            = var.ssh_username
  temporary_key_pair_type = "ed25519"

  tags = {
    Name           = var.ami_name
    "slipway:base" = "{{ .SourceAMI }}"
  }
}

build {
  sources = ["source.amazon-ebs.docker"]

  provisioner "ansible" {
    command          = "${path.root}/../.venv/bin/ansible-playbook"
    ansible_env_vars = ["ANSIBLE_CONFIG=${path.root}/../ansible.cfg"]
    playbook_file    = "${path.root}/../playbooks/bake.yml"

    groups              = ["image_builds"]
    inventory_directory = var.inventory_directory
    user                = var.ssh_username

    # At the end image_seal removes Packer's own key and the host's: nobody can log in any more. Ansible's sessions go
    # through the connection that Packer has, and afterwards Packer stops the instance by EC2's API, not by SSH.
    use_proxy    = true
    sftp_command = "/usr/libexec/openssh/sftp-server -e"

    extra_arguments = ["--extra-vars", jsonencode({
      slipway_baking            = true
      image_seal_confirmed      = true
      image_provenance_manifest = "${path.cwd}/${var.ami_name}.packages.json"
    })]
  }

  post-processor "manifest" {
    output      = "${var.ami_name}.packer.json"
    strip_path  = true
    custom_data = { base_ami = build.SourceAMI }
  }
}
