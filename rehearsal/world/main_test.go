package world_test

import (
	"testing"

	"cicd/rehearsal/rehearsaltest"
)

func TestMain(m *testing.M) { rehearsaltest.Main(m) }
