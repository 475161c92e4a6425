// Command hello is the simplest server that net/http allows. webapp is compared with it.
package main

import (
	"io"
	"net/http"
)

func main() {
	panic(http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "hello\n")
	})))
}
