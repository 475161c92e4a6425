package world

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// registryFaults wraps the registry: it sets the registry's clock, and lets others answer in its place.
type registryFaults struct {
	http.Handler
	// ahead is how far the registry's clock is ahead of this machine's, in nanoseconds.
	ahead atomic.Int64

	mu      sync.Mutex
	instead func(http.ResponseWriter, *http.Request) bool
}

func (f *registryFaults) now() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }

// Advance sets how far the registry's clock is ahead of this machine's.
func (f *registryFaults) Advance(d time.Duration) { f.ahead.Store(int64(d)) }

// Intercept shows each request to answer first, which returns true if it has answered. Nil ends that.
func (f *registryFaults) Intercept(answer func(http.ResponseWriter, *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.instead = answer
}

func (f *registryFaults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	answered := f.instead != nil && f.instead(w, r)
	f.mu.Unlock()
	if !answered {
		f.Handler.ServeHTTP(w, r)
	}
}
