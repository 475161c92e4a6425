// Package awsjson has what AWS's JSON protocols share.
package awsjson

import "time"

// Seconds returns a time as these protocols write it: seconds since 1970, with milliseconds as the fraction.
func Seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
