package codedeploy

import "fmt"

// The deployment configurations that AWS predefines for EC2. The rehearsal knows no others: a custom one must be
// declared, and the stack declares none.
const (
	oneAtATime  = "CodeDeployDefault.OneAtATime"
	halfAtATime = "CodeDeployDefault.HalfAtATime"
	allAtOnce   = "CodeDeployDefault.AllAtOnce"
)

// health is what a deployment configuration requires for a number of instances (CodeDeploy user guide, "Working with
// deployment configurations").
type health struct {
	// concurrent is how many instances may be deployed to at a time.
	concurrent int
	// minimum is how many instances must succeed.
	minimum int
}

func healthOf(config string, instances int) (health, *ErrorInformation) {
	switch config {
	case allAtOnce:
		return health{concurrent: instances, minimum: 1}, nil
	case halfAtATime:
		return health{concurrent: max(1, instances/2), minimum: (instances + 1) / 2}, nil
	case oneAtATime:
		// All but one must stay healthy: only the last may fail, and a single one may not.
		return health{concurrent: 1, minimum: max(1, instances-1)}, nil
	}
	return health{}, &ErrorInformation{Code: "DeploymentConfigDoesNotExistException",
		Message: fmt.Sprintf("No deployment configuration found for name: %s (the rehearsal knows %s, %s and %s)", config, oneAtATime, halfAtATime, allAtOnce)}
}

// broken reports whether the deployment can no longer succeed or must not continue, after failed of instances have
// failed and finished have ended. With one at a time, a failure before the last instance ends the deployment.
func (h health) broken(instances, failed, finished int, config string) bool {
	if config == oneAtATime && failed > 0 && finished < instances {
		return true
	}
	return instances-failed < h.minimum
}
