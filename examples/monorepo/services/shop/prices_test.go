package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestPrices(t *testing.T) {
	tests := []struct {
		path, body string
		status     int
	}{
		{"/price/tea", "4.50 EUR\n", http.StatusOK},
		{"/price/yacht", "we do not sell that\n", http.StatusNotFound},
	}
	for _, tt := range tests {
		recorder := httptest.NewRecorder()
		routes().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, tt.path, nil))
		if recorder.Code != tt.status || recorder.Body.String() != tt.body {
			t.Errorf("%s: %d %q, want %d %q", tt.path, recorder.Code, recorder.Body, tt.status, tt.body)
		}
	}
}
