// Command drillapp is what drills release instead of the application: a web server that misbehaves as its argument says.
//
//	exits       writes why and ends
//	never       is never healthy: every answer is 503
//	flaps       two answers in three are 200
//	late TIME   is healthy TIME after its start, such as "late 60s"
//	stubborn    ignores SIGTERM
//	version X   behaves; X makes its image differ
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
	}
	fmt.Println("listening")
	panic(http.ListenAndServe(":"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !healthy() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})))
}
