// Command app is an application for the release tests. MODE selects its behaviour, VERSION its answer. With arguments it is
// a worker or a release command, see command.go.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		os.Exit(command(os.Args[1:]))
	}
	started := time.Now()
	var checks atomic.Int64
	healthy := func() bool { return true }
	address, asked := ":"+os.Getenv("PORT"), syscall.SIGTERM
	switch os.Getenv("MODE") {
	case "exits":
		fmt.Println("cannot reach the database")
		os.Exit(3)
	case "unhealthy":
		healthy = func() bool { return false }
	case "flapping":
		healthy = func() bool { return checks.Add(1)%3 != 0 }
	case "slow":
		healthy = func() bool { return time.Since(started) > 4*time.Second }
	case "thinks":
		healthy = func() bool { time.Sleep(3 * time.Second); return true }
	case "loopback":
		address = "127.0.0.1:" + os.Getenv("PORT")
	case "elsewhere":
		address = ":3000"
	case "dies":
		http.HandleFunc("GET /die/", func(http.ResponseWriter, *http.Request) { os.Exit(1) })
	case "ignores-term":
		signal.Ignore(syscall.SIGTERM)
		asked = syscall.SIGUSR1 // nobody sends that
	case "hangs-up":
		healthy = func() bool { panic(http.ErrAbortHandler) }
	}
	http.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case os.Getenv("MODE") == "asks-host" && r.Host != "app.example.com":
			w.WriteHeader(http.StatusBadRequest)
		case !healthy():
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, os.Getenv("VERSION")) })
	http.HandleFunc("GET /variable/{name}/", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, os.Getenv(r.PathValue("name"))) })
	http.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body) // all of it first: HTTP/1 does not do both directions at once
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(body)
	})

	stopping, stop := signal.NotifyContext(context.Background(), asked)
	defer stop()
	serveStreams(stopping)

	server := &http.Server{Addr: address, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true) // for gRPC
	go func() {
		fmt.Println("listening")
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			fmt.Println(err)
			os.Exit(1)
		}
	}()
	<-stopping.Done()
	_ = server.Shutdown(context.Background()) // no deadline: the tests' requests end by themselves
}
