package drill

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"cicd/internal/edit"
	"cicd/rehearsal/acme"
	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/world"
)

// domainDrills are about a stack with a domain and its CA. The edge gets port 443 for each, and gives it back: that
// replaces it, so requests fail for a moment.
var domainDrills = []Drill{
	{
		Name:   "certificate-renewed",
		Breaks: "the certificate expires soon (it lasts 20 s, not 90 days)",
		Holds:  "the edge renews it by itself; HTTPS loses no request",
		Rows:   []int{72},
		run:    configured(map[string]any{"domain": "renewed.example.com"}, certificateRenewed),
		outage: true,
	},
	{
		Name:   "certificate-expired",
		Breaks: "the CA is away until the certificate has expired (15 s)",
		Holds:  "a release succeeds and says why; HTTPS comes back by itself",
		Rows:   []int{73},
		run:    configured(map[string]any{"domain": "expired.example.com"}, certificateExpired),
		outage: true,
	},
	{
		Name:   "ca-away",
		Breaks: "the CA is away when the stack gets its domain",
		Holds:  "HTTP goes on, and the release says why; HTTPS comes by itself",
		Rows:   []int{74},
		run:    configured(map[string]any{"domain": "away.example.com"}, caAway),
		outage: true,
	},
	{
		Name:   "ca-limits",
		Breaks: "the CA has issued too many certificates for the domain",
		Holds:  "HTTP goes on; the release has the CA's reason",
		Rows:   []int{75},
		run:    configured(map[string]any{"domain": "limits.example.com"}, caLimits),
		outage: true,
	},
}

// watchful makes the edge look after its certificate every second, not every ten minutes.
var watchful = edit.Replace(caddyfile, "\tpersist_config off", "\tpersist_config off\n\trenew_interval 1s")

// shortLived makes a CA issue certificates that do not last, until the drill has ended.
func shortLived(ctx context.Context, g *drillEnv, lifetime time.Duration) (undo func(error) error, err error) {
	undo = func(err error) error { return errors.Join(err, g.ReplaceCA(ctx, acme.Lifetime)) }
	return undo, g.ReplaceCA(ctx, lifetime)
}

func certificateRenewed(ctx context.Context, g *drillEnv) error {
	undo, err := shortLived(ctx, g, 20*time.Second)
	if err != nil {
		return err
	}
	return undo(renewed(ctx, g))
}

func renewed(ctx context.Context, g *drillEnv) error {
	if _, err := g.releases(ctx, "With a certificate that does not last", watchful); err != nil {
		return err
	}
	first, err := g.Certificate(ctx)
	if err != nil {
		return err
	}
	visitors := g.Visit(ctx, nil)
	// The first one expires meanwhile.
	err = g.awaitHTTPS(ctx, "the certificate was not renewed", func(now *x509.Certificate, err error) bool {
		return err == nil && now.NotBefore.After(first.NotAfter.Add(-time.Second))
	})
	if count := visitors.Leave(); count.Failed > 0 {
		err = errors.Join(err, errors.New(count.String()))
	}
	return err
}

func certificateExpired(ctx context.Context, g *drillEnv) error {
	undo, err := shortLived(ctx, g, 15*time.Second)
	if err != nil {
		return err
	}
	return undo(expired(ctx, g))
}

func expired(ctx context.Context, g *drillEnv) error {
	if _, err := g.releases(ctx, "With a certificate that does not last", watchful); err != nil {
		return err
	}
	g.CA().SetFault(acme.Away)
	err := g.awaitHTTPS(ctx, "the certificate has not expired", func(_ *x509.Certificate, err error) bool {
		var invalid x509.CertificateInvalidError
		return errors.As(err, &invalid) && invalid.Reason == x509.Expired
	})
	if err != nil {
		return err
	}
	if err := g.deploys(ctx, watchful, g.harmless(ctx, "an expired certificate")); err != nil {
		return err
	}
	if !g.said("certificate") || !g.said("renewed,") || !g.said("EOF") {
		return errors.New("no warning says that the certificate is not being renewed, and why")
	}
	g.CA().SetFault(nil)
	return g.awaitHTTPS(ctx, "there is no other certificate", valid)
}

func caAway(ctx context.Context, g *drillEnv) error {
	g.CA().SetFault(acme.Away)
	defer g.CA().SetFault(nil)
	if err := g.servesHTTP(ctx, "EOF"); err != nil {
		return err
	}
	g.CA().SetFault(nil)
	return g.awaitHTTPS(ctx, "the edge has not come back to the CA", valid)
}

func caLimits(ctx context.Context, g *drillEnv) error {
	g.CA().SetFault(acme.RateLimited)
	defer g.CA().SetFault(nil)
	return g.servesHTTP(ctx, "rateLimited")
}

// servesHTTP makes a release without HTTPS, whose warning has the reason, and checks that HTTP serves it.
func (g *drillEnv) servesHTTP(ctx context.Context, reason string) error {
	if err := g.deploys(ctx, g.harmless(ctx, "no certificate")); err != nil {
		return err
	}
	if !g.said("certificate") || !g.said(reason) {
		return fmt.Errorf("no warning says that there is no certificate, and %s", reason)
	}
	client := g.Client()
	defer client.CloseIdleConnections()
	answer, err := world.Get(ctx, client, "http://"+g.Domain()+"/")
	if err != nil {
		return err
	}
	commit, err := g.CommitAt(ctx, answer.Upstream)
	if want := g.released[len(g.released)-1]; err == nil && commit != want {
		err = fmt.Errorf("http://%s is answered by %.7s, want %.7s", g.Domain(), commit, want)
	}
	return err
}

// deploys releases a change, which must succeed although nobody reaches it over HTTPS.
func (g *drillEnv) deploys(ctx context.Context, edits ...edit.Edit) error {
	id, err := g.commit(ctx, "Without HTTPS", edits...)
	if err != nil {
		return err
	}
	g.released = append(g.released, id)
	execution, err := g.Push(ctx, g.dir)
	if err != nil {
		return err
	}
	if status, err := execution.Wait(ctx); status != codepipeline.Succeeded {
		return fmt.Errorf("the release of %.7s ended %s: %w", id, status, err)
	}
	return nil
}

func valid(_ *x509.Certificate, err error) bool { return err == nil }

// awaitHTTPS waits until the domain's certificate is as wanted. The edge comes back to a CA after a minute, and once more two
// minutes later (certmagic, async.go, retryIntervals).
func (g *drillEnv) awaitHTTPS(ctx context.Context, late string, wanted func(*x509.Certificate, error) bool) error {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel()
	for {
		now, err := g.Certificate(ctx)
		if wanted(now, err) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(errors.New(late), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
