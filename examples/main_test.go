package examples

import (
	"testing"

	"cicd/rehearsal/rehearsaltest"
)

func TestMain(m *testing.M) { rehearsaltest.Main(m) }
