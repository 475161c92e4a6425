package examples

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"cicd/internal/docker"
	"cicd/internal/docker/dockertest"
)

// base is an image made from Debian's packages. It stands in for one that these tests cannot pull: they need no registry.
type base struct {
	name string
	// reference is the image that it stands in for, as the example's Dockerfile names it. Services have none.
	reference string
	packages  []string
	// setup is a shell script, run with the image's root folder as $1.
	setup string
	// config is the image's, as instructions of a Dockerfile.
	config []string
}

// The suite has the versions that the Dockerfiles name: Python 3.13, Node.js 20, PHP 8.4, Go 1.24.
const suite, mirror = "trixie", "http://deb.debian.org/debian"

var (
	// python's pip finds what requirements.txt wants among Debian's packages. One has another name there: the wheel
	// psycopg-binary is psycopg with a libpq inside, Debian's psycopg uses the package libpq5.
	python = base{
		name:      "python",
		reference: "public.ecr.aws/docker/library/python:3.13-slim",
		packages:  []string{"python3", "python-is-python3", "python3-pip", "python3-django", "python3-dj-database-url", "python3-psycopg", "gunicorn", "libpq5"},
		setup: `cd "$1/usr/lib/python3/dist-packages"
version="$(sed -n 's/^Version: //p' psycopg-*/METADATA)"
mkdir "psycopg_binary-$version.dist-info"
printf 'Metadata-Version: 2.1\nName: psycopg-binary\nVersion: %s\n' "$version" >"psycopg_binary-$version.dist-info/METADATA"`,
		config: []string{"ENV PIP_BREAK_SYSTEM_PACKAGES=1 PIP_NO_INDEX=1", `CMD ["python3"]`},
	}
	// node's npm is a script that takes packages from Debian's.
	node = base{
		name:      "node",
		reference: "public.ecr.aws/docker/library/node:20-slim",
		packages:  []string{"nodejs", "node-semver", "node-express", "node-redis"},
		setup: `chroot "$1" useradd --create-home node
install -m 755 testdata/npm.js "$1/usr/local/bin/npm"`,
		config: []string{`CMD ["node"]`},
	}
	// php has the folders, the environment and the signal of the official image (docker-library/php, 8.4/*/apache/Dockerfile).
	php = base{
		name:      "php",
		reference: "public.ecr.aws/docker/library/php:8.4-apache",
		packages:  []string{"apache2", "libapache2-mod-php"},
		setup: `ln -s /etc/php/8.4/apache2 "$1/usr/local/etc/php"
rm "$1/var/www/html/index.html"
for log in access error other_vhosts_access; do ln -sf /dev/stdout "$1/var/log/apache2/$log.log"; done`,
		config: []string{
			"ENV PHP_INI_DIR=/usr/local/etc/php APACHE_RUN_USER=www-data APACHE_RUN_GROUP=www-data APACHE_LOG_DIR=/var/log/apache2",
			"ENV APACHE_PID_FILE=/var/run/apache2/apache2.pid APACHE_RUN_DIR=/var/run/apache2 APACHE_LOCK_DIR=/var/lock/apache2",
			"RUN mkdir -p /var/run/apache2 /var/lock/apache2", "STOPSIGNAL SIGWINCH", "WORKDIR /var/www/html", `CMD ["apache2", "-DFOREGROUND"]`,
		},
	}
	golang = base{
		name:      "golang",
		reference: "public.ecr.aws/docker/library/golang:1.24",
		packages:  []string{"golang-go", "ca-certificates"},
		config:    []string{"ENV GOTOOLCHAIN=local GOPATH=/go", "WORKDIR /go"},
	}
	// services has what the examples keep their data in, outside the stack.
	services = base{name: "services", packages: []string{"postgresql", "redis-server"}}
)

// image returns the reference of the base's image. It is made when this machine has none yet, and stays for the next time.
func (b base) image(t *testing.T) string {
	t.Helper()
	key := sha256.Sum256(fmt.Append(nil, suite, b.packages, b.setup, b.config, read(t, "testdata/npm.js")))
	// A name with a host is none of Docker Hub's.
	image := fmt.Sprintf("localhost/cicd-examples/%s:%x", b.name, key[:6])
	if _, err := docker.Run(t.Context(), "image", "inspect", image); err == nil {
		return image
	}
	t.Logf("Making %s from Debian's packages, for a minute or two ...", image)
	root := image + "-root"
	b.bootstrap(t, root)
	build := exec.CommandContext(t.Context(), "docker", "build", "--quiet", "--tag", image, "-")
	build.Stdin = strings.NewReader(strings.Join(append([]string{"FROM " + root}, b.config...), "\n"))
	out, err := build.CombinedOutput()
	_, untagged := docker.Run(context.Background(), "image", "rm", root)
	if err := errors.Join(err, untagged); err != nil {
		t.Fatalf("docker build: %v: %s", err, out)
	}
	return image
}

// bootstrap makes an image of the base's packages alone.
func (b base) bootstrap(t *testing.T, image string) {
	t.Helper()
	bootstrap := exec.CommandContext(t.Context(), "mmdebstrap", "--quiet", "--variant=minbase", "--include="+strings.Join(b.packages, ","),
		"--customize-hook=set -e\n"+b.setup, suite, "-", mirror)
	load := exec.CommandContext(t.Context(), "docker", "import", "-", image)
	var said bytes.Buffer
	bootstrap.Stderr, load.Stderr = &said, &said
	root, err := bootstrap.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	load.Stdin = root
	if err := bootstrap.Start(); err != nil {
		t.Fatal(err)
	}
	loaded := load.Run()
	root.Close() // what mmdebstrap may still write, nobody reads
	if err := bootstrap.Wait(); err != nil || loaded != nil {
		_, _ = docker.Run(context.Background(), "image", "rm", image) // what came before mmdebstrap failed
		t.Fatalf("mmdebstrap: %v, docker import: %v\n%s", err, loaded, &said)
	}
}

// need skips a test that has no Docker, or cannot make images. In CI it fails the test.
func need(t *testing.T) {
	t.Helper()
	dockertest.Need(t)
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("mmdebstrap is not installed, so there is no image of the example's language")
	}
}

// needAll skips a test unless `make examples` runs it.
func needAll(t *testing.T) {
	t.Helper()
	need(t)
	if !all() {
		t.Skip("`make examples` runs it")
	}
}

func all() bool { return os.Getenv("EXAMPLES") == "all" }

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
