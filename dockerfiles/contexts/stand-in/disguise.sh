#!/bin/sh
# Makes a Debian root file system look like CentOS Stream 9 to dnf, rpm and Ansible. Run once, in the image build.
set -eu

echo "CentOS Stream release 9" >/etc/centos-release
ln -s centos-release /etc/redhat-release
ln -s centos-release /etc/system-release
ln -sf ../usr/lib/os-release /etc/os-release
rm -f /etc/debian_version /usr/bin/apt-get /usr/bin/dpkg-query

mkdir -p /etc/yum.repos.d /etc/dnf /etc/sysconfig /etc/pki/rpm-gpg
printf '[main]\ngpgcheck=1\ninstallonly_limit=3\nclean_requirements_on_remove=True\nbest=True\n' >/etc/dnf/dnf.conf
# Debian's rpm keeps its database in the home of whoever calls it.
mkdir -p /etc/rpm
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.dbpath
# Provides system-release(releasever) and what docker-ce's packages require of the distribution.
rpm --install --nosignature --nodeps /usr/share/slipway/centos-stream-release.rpm

update-ca-certificates
systemctl disable firewalld.service # as the images of CentOS Stream have it
