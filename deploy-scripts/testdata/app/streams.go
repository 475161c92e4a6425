package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// serveStreams serves what lasts: events, and lines that are echoed in both directions at once, as a request or as a
// WebSocket's connection. Each stream ends with the line "bye" once the application has been asked to stop.
func serveStreams(stopping context.Context) {
	http.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for r.Context().Err() == nil {
			say(w, "event")
			select {
			case <-stopping.Done():
				say(w, "bye")
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	http.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/2 is
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.Header().Set("Trailer", "Grpc-Status")
		w.Header().Set("X-Version", r.Proto)
		say(w, "hello")
		echo(stopping, w, r.Body)
		w.Header().Set("Grpc-Status", "0")
	})
	http.HandleFunc("GET /socket", func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		echo(stopping, conn, buffered)
	})
	http.HandleFunc("POST /refuse", func(w http.ResponseWriter, _ *http.Request) { // reads nothing
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = io.WriteString(w, strings.Repeat("too large ", 5000))
	})
}

// echo answers each line that it reads with the same, until either side ends.
func echo(stopping context.Context, w io.Writer, r io.Reader) {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(r); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	for {
		select {
		case <-stopping.Done():
			say(w, "bye")
			return
		case line, more := <-lines:
			if !more {
				return
			}
			say(w, line)
		}
	}
}

// say writes a line and sends it at once.
func say(w io.Writer, line string) {
	fmt.Fprintln(w, line)
	if response, ok := w.(http.ResponseWriter); ok {
		_ = http.NewResponseController(response).Flush()
	}
}
