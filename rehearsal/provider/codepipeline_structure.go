package provider

import (
	"fmt"
	"slices"
)

// structure walks a pipeline from its first stage and reports what InvalidStructureException would. Source:
// CodePipeline User Guide, "CodePipeline pipeline structure reference".
type structure struct {
	c *call
	r *report

	artifacts  map[string]bool   // produced by earlier stages or run orders
	namespaces map[string]values // the action that writes each
	triggered  map[string]bool   // source actions that a trigger names
}

func checkPipeline(c *call, r *report) {
	if !c.structureKnown() {
		return // the engine checks again once it is
	}
	s := &structure{c: c, r: r, artifacts: map[string]bool{}, namespaces: map[string]values{}, triggered: map[string]bool{}}
	s.checkType()
	s.checkTriggers()
	names := map[string]bool{}
	for i, stage := range c.in.blocks("stages") {
		path := fmt.Sprintf("stages[%d]", i)
		s.unique(names, stage, path)
		s.checkOnFailure(i, stage, path)
		s.checkStage(i, stage, path)
	}
	for namespace := range s.namespaces {
		if s.artifacts[namespace] {
			s.fault("stages", "namespace %s has the name of an artifact", namespace)
		}
	}
}

// structureKnown reports whether everything about stages and triggers is known, except the values in configurations,
// which refer to other resources of the stack.
func (c *call) structureKnown() bool {
	if containsUnknown(c.in["triggers"]) || containsUnknown(c.in["variables"]) {
		return false
	}
	stages, ok := c.in["stages"].([]any)
	for i := range stages {
		stage := c.in.blocks("stages")[i]
		actions, listed := stage["actions"].([]any)
		ok = ok && listed && !stage.pending("name") && !stage.pending("onFailure")
		for _, action := range actions {
			action, _ := action.(map[string]any)
			shape := values(action).clone()
			if shape.block("configuration") != nil {
				delete(shape, "configuration")
			}
			ok = ok && shape != nil && !containsUnknown(map[string]any(shape))
		}
	}
	return ok
}

func (s *structure) fault(path, format string, args ...any) {
	s.r.add(path, "InvalidStructureException: "+format, args...)
}

// unique reports the name of a stage or action that another already has.
func (s *structure) unique(names map[string]bool, v values, path string) {
	name := v.text("name")
	if name != "" && names[name] {
		s.fault(path+".name", "%s is used twice, and names must be unique", name)
	}
	names[name] = true
}

// checkType reports features that V1 pipelines lack.
func (s *structure) checkType() {
	if s.c.in.text("pipelineType") != "V1" {
		return
	}
	for _, name := range []string{"triggers", "variables"} {
		if len(s.c.in.blocks(name)) > 0 {
			s.fault(name, "%s are for pipelines of type V2", name)
		}
	}
	if mode := s.c.in.text("executionMode"); mode == "QUEUED" || mode == "PARALLEL" {
		s.fault("executionMode", "mode %s is for pipelines of type V2", mode)
	}
	for i, stage := range s.c.in.blocks("stages") {
		if stage.has("onFailure") {
			s.fault(fmt.Sprintf("stages[%d].onFailure", i), "onFailure is for pipelines of type V2")
		}
	}
}

func (s *structure) checkOnFailure(position int, stage values, path string) {
	onFailure := stage.block("onFailure")
	result := onFailure.text("result")
	if result == "ROLLBACK" && position == 0 {
		s.fault(path+".onFailure.result", "the source stage cannot be rolled back")
	}
	if result == "ROLLBACK" && s.c.in.text("executionMode") == "PARALLEL" {
		s.fault(path+".onFailure.result", "pipelines in mode PARALLEL cannot roll back")
	}
	if onFailure.has("retryConfiguration") && result != "RETRY" && !onFailure.pending("result") {
		s.fault(path+".onFailure.retryConfiguration", "a retry configuration goes with result RETRY")
	}
}

// checkTriggers checks that every trigger has its own source action, and filters that may be combined. Source:
// CodePipeline User Guide, "Automate starting pipelines using triggers and filtering".
func (s *structure) checkTriggers() {
	sources := map[string]bool{}
	s.c.eachAction(func(_ string, action values) {
		if action.text("provider") == providerConnection {
			sources[action.text("name")] = true
		}
	})
	for i, trigger := range s.c.in.blocks("triggers") {
		path := fmt.Sprintf("triggers[%d].gitConfiguration", i)
		git := trigger.block("gitConfiguration")
		name := git.text("sourceActionName")
		switch {
		case name == "": // unknown, or missing and reported by the schema
		case !sources[name]:
			s.fault(path+".sourceActionName", "Triggers for connection must reference a CodeStarSourceConnection action, there is none named %s", name)
		case s.triggered[name]:
			s.fault(path+".sourceActionName", "one trigger per source action, %s has two", name)
		}
		s.triggered[name] = true
		for j, push := range git.blocks("pushes") {
			if push.has("tags") && (push.has("branches") || push.has("filePaths")) || push.has("filePaths") && !push.has("branches") {
				s.fault(fmt.Sprintf("%s.pushes[%d]", path, j), "a push filter is tags, or branches, or branches with filePaths")
			}
		}
		for j, request := range git.blocks("pullRequests") {
			if request.has("filePaths") && !request.has("branches") {
				s.fault(fmt.Sprintf("%s.pullRequests[%d]", path, j), "a pull request filter of filePaths needs branches too")
			}
		}
	}
}

// checkStage walks a stage's actions by run order: actions of the same order run in parallel and see neither the
// artifacts nor the variables of each other.
func (s *structure) checkStage(position int, stage values, path string) {
	actions := stage.blocks("actions")
	names, orders := map[string]bool{}, map[int][]int{}
	var order []int
	for i, action := range actions {
		s.unique(names, action, fmt.Sprintf("%s.actions[%d]", path, i))
		at := action.number("runOrder")
		if len(orders[at]) == 0 {
			order = append(order, at)
		}
		orders[at] = append(orders[at], i)
	}
	slices.Sort(order)
	for _, at := range order {
		for _, i := range orders[at] {
			s.checkAction(position, actions[i], fmt.Sprintf("%s.actions[%d]", path, i))
		}
		for _, i := range orders[at] {
			s.produce(actions[i], fmt.Sprintf("%s.actions[%d]", path, i))
		}
	}
}

// produce adds an action's artifacts and variables for later actions.
func (s *structure) produce(action values, path string) {
	for i, artifact := range action.texts("outputArtifacts") {
		if artifact != "" && s.artifacts[artifact] {
			s.fault(fmt.Sprintf("%s.outputArtifacts[%d]", path, i), "artifact %s is produced by more than one action", artifact)
		}
		s.artifacts[artifact] = true
	}
	if namespace := action.text("namespace"); namespace != "" {
		if _, taken := s.namespaces[namespace]; taken {
			s.fault(path+".namespace", "namespace %s is used twice, and namespaces must be unique", namespace)
		}
		s.namespaces[namespace] = action
	}
}
