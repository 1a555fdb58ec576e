variable "ami_name" {
  type        = string
  description = "Name of the AMI, new in the account, such as docker-el9-20260801; both manifests are named after it."

  validation {
    condition     = length(var.ami_name) > 2 && regex_replace(var.ami_name, "[A-Za-z0-9._-]", "") == ""
    error_message = "The ami_name must have 3 or more letters, digits, dots, underscores and hyphens."
  }
}

variable "region" {
  type        = string
  description = "Region to build in; role ami_publish copies the AMI to others."
}

variable "source_ami_owner" {
  type        = string
  description = "Account that owns the base, or amazon; an AMI with the right name is not the right AMI."

  validation {
    condition     = contains(["amazon", "self"], var.source_ami_owner) || length(var.source_ami_owner) == 12
    error_message = "The source_ami_owner must be an account of 12 digits, amazon or self."
  }
}

variable "source_ami_name" {
  type        = string
  description = "Pattern of the base's name, such as al2023-ami-2023.*-x86_64; the newest is taken."
}

variable "instance_type" {
  type        = string
  default     = "m6i.large"
  description = "Type of the instance that is baked, of the base's architecture."
}

variable "ssh_username" {
  type        = string
  default     = "ec2-user"
  description = "User of the base with sudo."
}

variable "subnet_id" {
  type        = string
  default     = ""
  description = "Subnet to build in; empty: one of the default VPC."
}

variable "kms_key_id" {
  type        = string
  default     = ""
  description = "Key that encrypts the AMI; empty: the account's default, with which it cannot be shared."
}

variable "inventory_directory" {
  type        = string
  default     = ""
  description = "Folder with group_vars/image_builds.yml, where the roles' variables are; empty: their defaults."
}
