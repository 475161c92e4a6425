package operations

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// addressService is AWS's own service that answers with the caller's address.
const addressService = "https://checkip.amazonaws.com"

// OwnAddress returns the public address of this machine.
func OwnAddress(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, addressService, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s", addressService, response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, 100))
	return strings.TrimSpace(string(body)), err
}
