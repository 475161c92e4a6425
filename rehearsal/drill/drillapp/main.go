// Command drillapp is what drills release instead of the application: a web server that misbehaves as its argument says.
// Further arguments are those of a release command or of a process, which misbehave as the first one says.
//
//	exits       writes why and ends
//	never       is never healthy: every answer is 503
//	flaps       two answers in three are 200
//	late TIME   is healthy TIME after its start, such as "late 60s"
//	stubborn    ignores SIGTERM
//	version X   behaves; X makes its image differ
//	keeps X     adds a line with X to /data/log, and shows that at /log
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 2 {
		command(os.Args[2])
		return
	}
	started := time.Now()
	mode, argument, _ := strings.Cut(os.Args[1], " ")
	healthy := func() bool { return true }
	switch mode {
	case "exits":
		fmt.Println("cannot reach the database")
		os.Exit(3)
	case "never":
		healthy = func() bool { return false }
	case "flaps":
		var asked atomic.Int64
		healthy = func() bool { return asked.Add(1)%3 != 0 }
	case "late":
		delay, err := time.ParseDuration(argument)
		if err != nil {
			panic(err)
		}
		healthy = func() bool { return time.Since(started) >= delay }
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "keeps":
		keep(argument)
	}
	http.HandleFunc("/log", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, log) })
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		if !healthy() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	fmt.Println("listening")
	panic(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}

const log = "/data/log"

// keep adds a line to the log.
func keep(line string) {
	file, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = fmt.Fprintln(file, line)
	}
	if err != nil {
		panic(err)
	}
}

// command is what a release command or a process does.
//
//	fails    writes why and ends
//	hangs    writes why and does not end
//	crashes  writes why and ends
func command(mode string) {
	switch mode {
	case "fails":
		fmt.Println("cannot alter the table")
		os.Exit(4)
	case "hangs":
		fmt.Println("waiting for a lock")
		time.Sleep(time.Hour)
	case "crashes":
		fmt.Println("cannot reach the queue")
		os.Exit(5)
	}
}
