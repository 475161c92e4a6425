// Command hello is the least that net/http can do. It is what webapp is measured against.
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
