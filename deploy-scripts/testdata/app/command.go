package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// command runs what the container's words say, instead of the server, and returns the exit code.
func command(words []string) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	switch words[0] {
	case "print": // variables
		for _, name := range words[1:] {
			value, there := os.LookupEnv(name)
			fmt.Printf("%s is %q, %v\n", name, value, there)
		}
	case "print-and-work":
		command([]string{"print", words[1]})
		<-stop
	case "fail":
		fmt.Println("relation users does not exist")
		return 3
	case "crash":
		time.Sleep(time.Second)
		fmt.Println("no queue")
		return 7
	case "work":
		fmt.Printf("at work: %q\n", words[1:])
		<-stop
		fmt.Println("done")
	case "hang":
		fmt.Println("waits for a lock")
		<-stop
	case "deaf":
		fmt.Println("hears nothing of " + strings.Join(words[1:], " "))
		signal.Ignore(syscall.SIGTERM)
		select {}
	default:
		fmt.Println("no such command: " + words[0])
		return 2
	}
	return 0
}
