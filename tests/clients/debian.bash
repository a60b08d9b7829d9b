# shellcheck shell=bash disable=SC2016
# An image like people's own: Debian with glibc, bash and apt, made by tests/clients/debian-image. What is
# done in it is the same with all engines.

# need_debian sets $DEBIAN to a tar file of it, or skips the file.
need_debian() {
	local said
	said=$("$REPO/tests/clients/debian-image" 2>"$BATS_FILE_TMPDIR/debian") || skip "$(tail -n 1 "$BATS_FILE_TMPDIR/debian")"
	export DEBIAN=$said
}

# dockerfile IMAGE prints one whose steps use the package manager and the tools for users.
dockerfile() {
	echo "FROM $1"
	cat <<-'END'
		RUN mkdir -p /package/DEBIAN /package/usr/bin \
			&& printf '%s\n' 'Package: greeting' 'Version: 1.2' 'Architecture: all' 'Maintainer: A <a@example.org>' 'Depends: bash' 'Description: greets' >/package/DEBIAN/control \
			&& printf '%s\n' '#!/bin/bash' 'words=(hello from "$(id -un)" in "$PWD"); echo "${words[*]^^}"' >/package/usr/bin/greet \
			&& chmod 755 /package/usr/bin/greet \
			&& dpkg-deb --root-owner-group --build /package /greeting.deb && dpkg --install /greeting.deb && rm -r /package
		RUN useradd --create-home --shell /bin/bash --groups audio person && su - person -c 'id -un; pwd' >/said
		RUN ["/bin/bash", "-o", "pipefail", "-c", "! false | true"]
		USER person
		WORKDIR /home/person
		CMD ["greet"]
	END
}

# Scripts that containers run.
export PROGRAMS='
	set -e
	dpkg --version | head -n 1
	apt-get --version | head -n 1
	dpkg-query --show --showformat "\${Package} \${Status}\n" bash
	perl -e "print join(q(,), map { \$_ * 2 } 1 .. 3), qq(\n)"
	getent passwd 33 | cut -d: -f1
	getconf GNU_LIBC_VERSION | cut -d" " -f1
	mapfile -t lines < <(printf "%s\n" a b c); echo "${#lines[@]} ${lines[-1]}"
	apt-config shell x Dir | cut -d= -f1
	dpkg --audit
'

# programs_said succeeds if $output is what the programs say, whatever version they are of.
programs_said() {
	local said
	# shellcheck disable=SC2154 # bats' run and answer set it
	said=$(sed -E 's/ [0-9][0-9.]*[0-9]/ N/; s/\((amd64|arm64)\)/(A)/' <<<"$output")
	assert_equal "$said" "Debian 'dpkg' package management program version N (A).
apt N (A)
bash install ok installed
2,4,6
www-data
glibc
3 c
x"
}

export USERS='
	set -e
	useradd --uid 4321 --create-home person
	su person -c "id -un; cd; pwd; touch mine"
	stat -c %U:%G:%a /home/person/mine
	chown www-data:audio /home/person/mine; stat -c %u:%g /home/person/mine
	su -s /bin/bash -c "id -Gn" backup
	userdel --remove person 2>/dev/null && ! getent passwd person
'
