package infra

// Architecture is the processor architecture of the host, the build machine and the image, by EC2's name.
type Architecture string

// Architectures that Amazon Linux 2023 has images for.
const (
	X86   Architecture = "x86_64"
	ARM64 Architecture = "arm64"
)

// architectureOf derives the architecture from an instance type: a g after the family's generation means Graviton
// (EC2 User Guide, "Instance type names").
func architectureOf(instanceType string) Architecture {
	if gravitonPattern.MatchString(instanceType) {
		return ARM64
	}
	return X86
}

// goarch returns Go's name for the architecture.
func (a Architecture) goarch() string {
	if a == ARM64 {
		return "arm64"
	}
	return "amd64"
}

// buildType returns CodeBuild's environment type.
func (a Architecture) buildType() string {
	if a == ARM64 {
		return "ARM_CONTAINER"
	}
	return "LINUX_CONTAINER"
}

// buildPlace returns what CodeBuild's quotas call the machines that build for it (CodeBuild User Guide, "Quotas
// for AWS CodeBuild").
func (a Architecture) buildPlace() string {
	if a == ARM64 {
		return "ARM/Small"
	}
	return "Linux/Small"
}

// buildImage returns CodeBuild's curated image. Newer images exist, but not in every region.
func (a Architecture) buildImage() string {
	if a == ARM64 {
		return "aws/codebuild/amazonlinux-aarch64-standard:3.0"
	}
	return "aws/codebuild/amazonlinux-x86_64-standard:5.0"
}

// machineImage returns the public SSM parameter that names the current Amazon Linux 2023 AMI
// (AL2023 User Guide, "Launching AL2023 using the SSM parameter and AWS CLI").
func (a Architecture) machineImage() string {
	return "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-" + string(a)
}
