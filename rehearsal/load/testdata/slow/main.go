// Command slow is an application with long requests. Each answer says whether the application was asked to end meanwhile.
// The application ends once all requests are answered.
package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	asked, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	http.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		duration, err := time.ParseDuration(r.FormValue("for"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		before := asked.Err() != nil
		time.Sleep(duration)
		if !before && asked.Err() != nil {
			w.Header().Set("Asked-To-End", "meanwhile")
		}
		_, _ = w.Write(body)
	})
	server := &http.Server{Addr: ":" + os.Getenv("PORT")}
	go func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			panic(err)
		}
	}()
	<-asked.Done()
	_ = server.Shutdown(context.Background()) // no deadline: the requests end by themselves
}
