# Builds an AMI with playbooks/bake.yml. From the clone, after `make setup`:
#   packer init packer && packer build -var-file=my.pkrvars.hcl packer
#
# Tested so far: tests/unit/test_packer.py parses the files and checks that the files, groups and variables they name exist;
# `packer fmt` and `packer validate` of Packer 1.6.6 were run by hand, without the parts it does not know: plugins.pkr.hcl,
# metadata_options and imds_support. No newer Packer has read these files, and no AMI has been built with them.
#
# Put no credentials here: Packer takes them from the environment, a profile or a role, like the AWS CLI.

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

  # Require IMDSv2 on the baked instance and on all instances of the AMI. The latter get hop limit 2, unless their launch
  # template or the account's defaults set 1 (docs/guides/aws-first-boot.md).
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  imds_support = "v2.0"

  # Without this, Packer opens port 22 of the instance to the whole internet.
  temporary_security_group_source_cidrs = var.ssh_source_cidrs

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

    # machine_image_seal finally removes Packer's key and the host keys, so nobody can log in any more. Ansible connects through
    # Packer's open connection, and Packer then stops the instance with the EC2 API, not by SSH.
    use_proxy    = true
    sftp_command = "/usr/libexec/openssh/sftp-server -e"

    extra_arguments = ["--extra-vars", jsonencode({
      slipway_baking                    = true
      machine_image_seal_confirmed      = true
      machine_image_provenance_manifest = "${path.cwd}/${var.ami_name}.packages.json"
    })]
  }

  post-processor "manifest" {
    output      = "${var.ami_name}.packer.json"
    strip_path  = true
    custom_data = { base_ami = build.SourceAMI }
  }
}
