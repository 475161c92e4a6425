package deployscripts_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// fakeAWS makes this binary the AWS CLI; its value is the address of the registry.
const fakeAWS = "DEPLOYSCRIPTS_TEST_FAKE_AWS"

// Variables that have the beginning of the calls that ECR refuses, and of those that it does not answer.
const (
	denied = "DENIED"
	mute   = "MUTE"
)

// aws answers the two calls that the scripts make. Like version 1 of the AWS CLI it knows no region but --region.
func aws(registry string, args []string) int {
	command := strings.Join(args, " ")
	if !strings.Contains(command, " --region eu-central-1") {
		fmt.Fprintln(os.Stderr, "You must specify a region. You can also configure your region by running \"aws configure\".")
		return 253
	}
	switch {
	case os.Getenv(mute) != "" && strings.HasPrefix(command, os.Getenv(mute)):
		time.Sleep(time.Hour)
		return 255
	case os.Getenv(denied) != "" && strings.HasPrefix(command, os.Getenv(denied)):
		fmt.Fprintln(os.Stderr, "An error occurred (AccessDeniedException) when calling the operation: not authorized to perform it")
		return 254
	case strings.HasPrefix(command, "ecr get-login-password "):
		fmt.Println("token")
		return 0
	case strings.HasPrefix(command, "ecr describe-images "):
		_, tag, _ := strings.Cut(command, "imageTag=")
		tag, _, _ = strings.Cut(tag, " ")
		answer, err := http.Head("http://" + registry + "/v2/team/app/manifests/" + tag)
		if err == nil && answer.StatusCode == http.StatusOK {
			fmt.Println(answer.Header.Get("Docker-Content-Digest"))
			return 0
		}
		fmt.Fprintln(os.Stderr, "\nAn error occurred (ImageNotFoundException) when calling the DescribeImages operation: The image does not exist")
		return 254
	}
	fmt.Fprintln(os.Stderr, "unexpected call: aws", command)
	return 252
}
