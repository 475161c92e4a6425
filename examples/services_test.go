package examples

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"testing"
	"time"

	"cicd/internal/docker"
	"cicd/internal/freeport"
)

// service is a server that an application uses, outside its stack: in AWS, RDS or ElastiCache.
type service struct {
	// command starts it, with the variables ADDRESS, PORT and PASSWORD; ready succeeds once it answers.
	command, ready string
}

var (
	postgres = service{
		command: `PATH="$(echo /usr/lib/postgresql/*/bin):$PATH"
printf %s "$PASSWORD" >/data/password
initdb --pgdata=/data/db --username=app --pwfile=/data/password --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >/dev/null
echo 'host all all all scram-sha-256' >>/data/db/pg_hba.conf
exec postgres -D /data/db -c "listen_addresses=$ADDRESS" -c "port=$PORT" -c unix_socket_directories=`,
		ready: `exec "$(echo /usr/lib/postgresql/*/bin)/pg_isready" -h "$ADDRESS" -p "$PORT"`,
	}
	redis = service{
		command: `exec redis-server --bind "$ADDRESS" --port "$PORT" --requirepass "$PASSWORD" --save "" --dir /data`,
		ready:   `[ "$(REDISCLI_AUTH="$PASSWORD" redis-cli -h "$ADDRESS" -p "$PORT" ping)" = PONG ]`,
	}
)

// start starts a service until the test ends. It returns its password and its address, as containers of a rehearsal reach it.
func (s service) start(t *testing.T) (password, address string) {
	t.Helper()
	image := services.image(t)
	listen, _, err := docker.HostOfContainers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	free, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(free)
	if err != nil {
		t.Fatal(err)
	}
	password = rand.Text()
	name := "cicd-examples-" + port
	// Its containers' network is the machine's, which containers of other networks reach by its address.
	_, err = docker.Run(t.Context(), "run", "--detach", "--rm", "--name", name, "--network", "host", "--user", "nobody", "--tmpfs", "/data:mode=1777",
		"--env", "ADDRESS="+listen, "--env", "PORT="+port, "--env", "PASSWORD="+password, image, "sh", "-ec", s.command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := docker.Run(context.Background(), "rm", "--force", name); err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		_, err := docker.Run(t.Context(), "exec", name, "sh", "-c", s.ready)
		if err == nil {
			return password, "host.docker.internal:" + port
		}
		if time.Now().After(deadline) {
			said, _ := docker.Run(t.Context(), "logs", name)
			t.Fatalf("%v: %s", err, said)
		}
	}
}

// urlOf returns the URL of a started service.
func urlOf(t *testing.T, scheme, user string, s service, path string) string {
	t.Helper()
	password, address := s.start(t)
	return fmt.Sprintf("%s://%s:%s@%s/%s", scheme, user, password, address, path)
}
