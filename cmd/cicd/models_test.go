package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// answersOfAWS are the types of AWS's answers in its JSON protocols, which AWS's SDK has from its API models, by the operation.
var answersOfAWS = func() map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for _, output := range []any{
		cloudwatchlogs.DescribeLogGroupsOutput{}, cloudwatchlogs.FilterLogEventsOutput{}, cloudwatchlogs.GetLogEventsOutput{},
		codebuild.BatchGetBuildsOutput{},
		codeconnections.GetConnectionOutput{},
		codedeploy.BatchGetDeploymentTargetsOutput{}, codedeploy.GetDeploymentOutput{}, codedeploy.ListDeploymentsOutput{}, codedeploy.ListDeploymentTargetsOutput{},
		codepipeline.GetPipelineExecutionOutput{}, codepipeline.GetPipelineStateOutput{}, codepipeline.ListActionExecutionsOutput{},
		codepipeline.ListPipelineExecutionsOutput{}, codepipeline.PutApprovalResultOutput{}, codepipeline.StartPipelineExecutionOutput{},
		ecr.DescribeImagesOutput{}, ecr.DescribeRepositoriesOutput{},
		resourcegroupstaggingapi.GetResourcesOutput{},
		servicequotas.GetAWSDefaultServiceQuotaOutput{}, servicequotas.ListAWSDefaultServiceQuotasOutput{}, servicequotas.ListServiceQuotasOutput{},
		ssm.DescribeInstanceInformationOutput{}, ssm.GetParametersByPathOutput{}, ssm.StartSessionOutput{},
	} {
		of := reflect.TypeOf(output)
		types[strings.TrimSuffix(of.Name(), "Output")] = of
	}
	return types
}()

// withoutAnswer are the operations whose answer is empty.
var withoutAnswer = []string{"DisableStageTransition", "EnableStageTransition"}

// compared compares each answer of the stand-ins with AWS's API model. It returns how often each operation was asked.
func (d day) compared() (asked func(operation string) int) {
	d.t.Helper()
	var mu sync.Mutex
	count := map[string]int{}
	d.behind(func(proxy *httputil.ReverseProxy) http.Handler {
		proxy.ModifyResponse = func(response *http.Response) error {
			target := response.Request.Header.Get("X-Amz-Target")
			if target == "" || response.StatusCode != http.StatusOK {
				return nil
			}
			body, err := io.ReadAll(response.Body)
			if err != nil {
				return err
			}
			response.Body = io.NopCloser(bytes.NewReader(body))
			operation := target[strings.LastIndex(target, ".")+1:]
			for _, problem := range unlike(operation, body) {
				d.t.Errorf("%s: %s in %s", operation, problem, body)
			}
			mu.Lock()
			defer mu.Unlock()
			count[operation]++
			return nil
		}
		return proxy
	})
	return func(operation string) int {
		mu.Lock()
		defer mu.Unlock()
		return count[operation]
	}
}

// unlike says what in an answer AWS's API model does not know.
func unlike(operation string, body []byte) []string {
	if slices.Contains(withoutAnswer, operation) {
		if text := string(bytes.TrimSpace(body)); text != "" && text != "{}" {
			return []string{"AWS answers nothing"}
		}
		return nil
	}
	model, ok := answersOfAWS[operation]
	if !ok {
		return []string{"the test does not know its model"}
	}
	var answer any
	if err := json.Unmarshal(body, &answer); err != nil {
		return []string{err.Error()}
	}
	return differences(answer, model, "")
}

// differences says how a JSON value differs from what the SDK makes of a model: members that it has no field for, values of other
// kinds, and texts that are not in an enumeration.
func differences(value any, model reflect.Type, at string) (found []string) {
	wrong := func(want string) []string { return []string{fmt.Sprintf("%s is %v, want %s", at, value, want)} }
	if model.Kind() == reflect.Pointer {
		model = model.Elem()
	}
	switch _, isNumber := value.(float64); {
	case value == nil:
		return wrong("no null: AWS leaves out what there is not")
	case model == reflect.TypeFor[time.Time]() && !isNumber:
		return wrong("a time in seconds")
	case model == reflect.TypeFor[time.Time]() || model.Kind() == reflect.Interface: // a union
		return nil
	}
	switch v := value.(type) {
	case map[string]any:
		return differentMembers(v, model, at)
	case []any:
		if model.Kind() != reflect.Slice {
			return wrong("a " + model.String())
		}
		for i, element := range v {
			found = append(found, differences(element, model.Elem(), fmt.Sprintf("%s[%d]", at, i))...)
		}
	case string:
		if model.Kind() != reflect.String {
			return wrong("a " + model.String())
		}
		if enumeration := reflect.Zero(model).MethodByName("Values"); enumeration.IsValid() && !slices.Contains(texts(enumeration.Call(nil)[0]), v) {
			return wrong("one of " + strings.Join(texts(enumeration.Call(nil)[0]), ", "))
		}
	case bool:
		if model.Kind() != reflect.Bool {
			return wrong("a " + model.String())
		}
	case float64:
		if !slices.Contains([]reflect.Kind{reflect.Int32, reflect.Int64, reflect.Float64}, model.Kind()) {
			return wrong("a " + model.String())
		}
	}
	return found
}

// differentMembers compares a JSON object with a structure or a map.
func differentMembers(object map[string]any, model reflect.Type, at string) (found []string) {
	if model.Kind() != reflect.Map && model.Kind() != reflect.Struct {
		return []string{fmt.Sprintf("%s is an object, want a %s", at, model)}
	}
	for name, member := range object {
		where := strings.TrimPrefix(at+"."+name, ".")
		if model.Kind() == reflect.Map {
			found = append(found, differences(member, model.Elem(), where)...)
			continue
		}
		field, ok := model.FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, name) })
		if !ok {
			found = append(found, where+" is nothing that "+model.String()+" has")
			continue
		}
		found = append(found, differences(member, field.Type, where)...)
	}
	return found
}

// texts returns the elements of a slice of texts.
func texts(list reflect.Value) (all []string) {
	for i := range list.Len() {
		all = append(all, list.Index(i).String())
	}
	return all
}

// TestUnlike: what AWS would not answer is seen.
func TestUnlike(t *testing.T) {
	for body, want := range map[string]string{
		`{"pipelineName": "x", "created": 1764453600.5, "stageStates": [{"stageName": "Source", "latestExecution": {"status": "Failed"}}]}`: "",
		`{"pipeline": "x"}`:                   "pipeline is nothing that codepipeline.GetPipelineStateOutput has",
		`{"pipelineName": null}`:              "pipelineName is <nil>, want no null",
		`{"pipelineName": 1}`:                 "pipelineName is 1, want a string",
		`{"created": "2026-11-29T22:00:00Z"}`: "want a time in seconds",
		`{"stageStates": {}}`:                 "stageStates is an object, want a []types.StageState",
		`{"stageStates": [{"latestExecution": {"status": "Fine"}}]}`: "stageStates[0].latestExecution.status is Fine, want one of",
		`{`: "unexpected end of JSON input",
	} {
		if got := strings.Join(unlike("GetPipelineState", []byte(body)), "; "); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	if got := unlike("EnableStageTransition", []byte(`{"enabled": true}`)); len(got) != 1 {
		t.Errorf("an answer that AWS does not give: %q", got)
	}
}
