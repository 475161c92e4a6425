// Package acme is a certificate authority on this machine, in the place of Let's Encrypt: a real ACME server, Pebble,
// which checks a domain before it issues a certificate. It learns names and reaches hosts only through what its owner
// tells it, so a domain passes only if the stack's records and firewall let it.
package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Lifetime is that of Let's Encrypt's certificates (letsencrypt.org, "Profiles", classic).
const Lifetime = 90 * 24 * time.Hour

// Config says what an authority needs.
type Config struct {
	// Program is the path of Pebble, and Dir an existing folder for its files.
	Program, Dir string
	// Environment is that of Pebble's process.
	Environment []string
	// Listen is the address of this machine on which containers reach it, and Host the name or address by which they
	// call that.
	Listen, Host string
	// Known reports whether a name has an address in the DNS. All names have the same.
	Known func(name string) bool
	// Lifetime is how long its certificates are valid.
	Lifetime time.Duration
	// Connect opens a connection to a TCP port, 80 or 443, of that address, if the internet can.
	Connect func(ctx context.Context, port int) (net.Conn, error)
}

// Authority is a running authority.
type Authority struct {
	// Directory is the URL of its ACME directory, and RootFile a file with the certificate by which clients trust its
	// API. That is not the root of the certificates that it issues: see Roots.
	Directory, RootFile string

	config  Config
	files   *keys
	names   *nameServer
	http    *relay
	https   *relay
	front   *front
	pebble  *process
	roots   []byte
	stopped bool
}

// Start starts an authority, until Close or the end of ctx.
func Start(ctx context.Context, config Config) (*Authority, error) {
	a := &Authority{config: config}
	if err := a.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("certificate authority: %w", err), a.Close())
	}
	return a, nil
}

func (a *Authority) start(ctx context.Context) (err error) {
	if a.files, err = newKeys(a.config.Dir, a.config.Host); err != nil {
		return err
	}
	if a.names, err = serveNames(a.config.Known); err != nil {
		return err
	}
	if a.http, err = newRelay(func(ctx context.Context) (net.Conn, error) { return a.config.Connect(ctx, 80) }); err != nil {
		return err
	}
	if a.https, err = newRelay(func(ctx context.Context) (net.Conn, error) { return a.config.Connect(ctx, 443) }); err != nil {
		return err
	}
	a.pebble, err = startPebble(ctx, pebbleSettings{
		program: a.config.Program, dir: a.config.Dir, environment: a.config.Environment,
		dns: a.names.address, http: a.http.port, https: a.https.port, lifetime: a.config.Lifetime, keys: a.files,
	})
	if err != nil {
		return err
	}
	if a.roots, err = a.pebble.get(ctx, "https://"+a.pebble.management+"/roots/0"); err != nil {
		return err
	}
	if a.front, err = serveFront(a.config.Listen, a.pebble.api, a.files); err != nil {
		return err
	}
	a.Directory = fmt.Sprintf("https://%s/dir", net.JoinHostPort(a.config.Host, a.front.port))
	a.RootFile = a.files.root
	return nil
}

// RootPEM is the root of the certificates that it issues, and Roots a pool with it.
func (a *Authority) RootPEM() []byte { return a.roots }
func (a *Authority) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.roots)
	return pool
}

// SetFault makes the authority answer requests with a fault, until it is called with nil.
func (a *Authority) SetFault(fault Fault) { a.front.setFault(fault) }

// Close ends the authority. It may be called more than once.
func (a *Authority) Close() error {
	if a.stopped {
		return nil
	}
	a.stopped = true
	var err error
	if a.front != nil {
		err = a.front.close()
	}
	if a.pebble != nil {
		a.pebble.stop()
	}
	for _, r := range []*relay{a.http, a.https} {
		if r != nil {
			err = errors.Join(err, r.close())
		}
	}
	if a.names != nil {
		err = errors.Join(err, a.names.close())
	}
	return err
}

// client returns a client that trusts the API's root.
func (k *keys) client() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{Proxy: nil, TLSClientConfig: &tls.Config{RootCAs: k.pool}, DisableKeepAlives: true}}
}

func writeFile(dir, name string, content []byte) (string, error) {
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, content, 0o600)
}
