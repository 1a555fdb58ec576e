variable "ami_name" {
  type        = string
  description = "Name of the AMI, unique in the account, for example docker-el9-20260801; both manifests are named after it."

  validation {
    condition     = length(var.ami_name) > 2 && regex_replace(var.ami_name, "[A-Za-z0-9._-]", "") == ""
    error_message = "The ami_name must consist of 3 or more letters, digits, dots, underscores or hyphens."
  }
}

variable "region" {
  type        = string
  description = "Region to build in; the role ami_publish copies the AMI to others."
}

variable "source_ami_owner" {
  type        = string
  description = "Owner of the base AMI, an account ID, amazon or self; anyone can publish an AMI with the same name."

  validation {
    condition     = contains(["amazon", "self"], var.source_ami_owner) || length(var.source_ami_owner) == 12
    error_message = "The source_ami_owner must be an account ID of 12 digits, amazon or self."
  }
}

variable "source_ami_name" {
  type        = string
  description = "Name pattern of the base AMI, for example al2023-ami-2023.*-x86_64; the newest match is used."
}

variable "instance_type" {
  type        = string
  default     = "m6i.large"
  description = "Instance type to bake on, which must match the architecture of the base AMI."
}

variable "ssh_username" {
  type        = string
  default     = "ec2-user"
  description = "User of the base AMI with sudo rights."
}

variable "ssh_source_cidrs" {
  type        = list(string)
  description = "IPv4 ranges from which Packer reaches the instance by SSH, none wider than /8, for example [\"203.0.113.7/32\"]."

  validation {
    condition     = length(var.ssh_source_cidrs) > 0 && length([for range in var.ssh_source_cidrs : range if length(regexall("^[0-9.]+/([89]|[12][0-9]|3[0-2])$", range)) == 0]) == 0
    error_message = "The ssh_source_cidrs must be IPv4 ranges such as 203.0.113.7/32, none wider than /8."
  }
}

variable "subnet_id" {
  type        = string
  default     = ""
  description = "Subnet to build in. Empty: a subnet of the default VPC."
}

variable "kms_key_id" {
  type        = string
  default     = ""
  description = "KMS key that encrypts the AMI. Empty: the account's default key, with which it cannot be shared."
}

variable "inventory_directory" {
  type        = string
  default     = ""
  description = "Directory with group_vars/image_builds.yml, which sets the roles' variables. Empty: their defaults."
}
