#!/bin/sh
# Makes a Debian root file system look like that of /usr/lib/os-release to dnf, rpm and Ansible. Runs once, during the image build.
set -eu

. /usr/lib/os-release
echo "${NAME% Linux} release $VERSION" >"/etc/$ID-release"
ln -s "$ID-release" /etc/redhat-release
ln -s "$ID-release" /etc/system-release
ln -sf ../usr/lib/os-release /etc/os-release
rm -f /etc/debian_version /usr/bin/apt-get /usr/bin/dpkg-query

mkdir -p /etc/yum.repos.d /etc/dnf /etc/sysconfig /etc/pki/rpm-gpg
printf '[main]\ngpgcheck=1\ninstallonly_limit=3\nclean_requirements_on_remove=True\nbest=True\n' >/etc/dnf/dnf.conf
# By default, Debian's rpm keeps its database in the home of the calling user.
mkdir -p /etc/rpm
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.dbpath
# Provides system-release(releasever) and the packages of the distribution that docker-ce requires.
rpm --install --nosignature --nodeps /usr/share/slipway/release.rpm

# Debian names the program of dnf 5 only by its version, and enables a plugin that copies every package.
[ -e /usr/bin/dnf ] || ln -s dnf5 /usr/bin/dnf
rm -f /etc/dnf/libdnf5-plugins/local.conf
update-ca-certificates
systemctl disable firewalld.service # as in CentOS Stream images

# What engines of users need. EL gives these programs capabilities, Debian the setuid bit, which images of hosts do not keep;
# and a container has no tun device before somebody makes it.
chmod u-s /usr/bin/newuidmap /usr/bin/newgidmap
setcap cap_setuid=ep /usr/bin/newuidmap
setcap cap_setgid=ep /usr/bin/newgidmap
echo 'c! /dev/net/tun 0666 root root - 10:200' >/etc/tmpfiles.d/tun.conf

cd /usr/lib/python3/dist-packages
mv /usr/share/slipway/keep_compiled.py .
echo 'import keep_compiled' >keep_compiled.pth
python3 -m py_compile keep_compiled.py # so that hosts differ in nothing from their image
