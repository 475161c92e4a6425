package main

import (
	"fmt"
	"net/http"
)

// cents are the prices, in euro cents.
var cents = map[string]int{"tea": 450, "coffee": 620, "mug": 1290}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "shop: ask for /price/tea") })
	mux.HandleFunc("GET /price/{item}", func(w http.ResponseWriter, r *http.Request) {
		price, ok := cents[r.PathValue("item")]
		if !ok {
			http.Error(w, "we do not sell that", http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, "%d.%02d EUR\n", price/100, price%100)
	})
	return mux
}
