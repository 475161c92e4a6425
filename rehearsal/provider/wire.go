package provider

import (
	"fmt"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
)

// unknown stands for a value that is not known before the update runs, such as the id of a new resource.
type unknown struct{}

// fromWire returns a message's properties as plain Go values; it drops nulls, as the real providers do.
func fromWire(message *structpb.Struct) values {
	out := values{}
	for key, value := range message.GetFields() {
		if v := fromWireValue(value); v != nil {
			out[key] = v
		}
	}
	return out
}

func fromWireValue(value *structpb.Value) any {
	switch v := value.GetKind().(type) {
	case *structpb.Value_StringValue:
		switch v.StringValue {
		case plugin.UnknownStringValue, plugin.UnknownBoolValue, plugin.UnknownNumberValue, plugin.UnknownArrayValue,
			plugin.UnknownObjectValue, plugin.UnknownAssetValue, plugin.UnknownArchiveValue:
			return unknown{}
		}
		return v.StringValue
	case *structpb.Value_NumberValue:
		return v.NumberValue
	case *structpb.Value_BoolValue:
		return v.BoolValue
	case *structpb.Value_ListValue:
		list := []any{}
		for _, item := range v.ListValue.GetValues() {
			list = append(list, fromWireValue(item))
		}
		return list
	case *structpb.Value_StructValue:
		fields := v.StructValue.GetFields()
		if fields[sig.Key].GetStringValue() == sig.Secret { // in a provider's configuration: elsewhere the engine unwraps secrets
			return fromWireValue(fields["value"])
		}
		return map[string]any(fromWire(v.StructValue))
	}
	return nil
}

// toWire is the inverse of fromWire.
func toWire(v values) (*structpb.Struct, error) {
	out, err := structpb.NewStruct(toWireValue(map[string]any(v)).(map[string]any))
	if err != nil {
		return nil, fmt.Errorf("encode properties: %w", err)
	}
	return out, nil
}

// toWireValue returns v with each unknown replaced by the engine's marker.
func toWireValue(v any) any {
	switch v := v.(type) {
	case unknown:
		return plugin.UnknownStringValue
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = toWireValue(item)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for key, item := range v {
			object[key] = toWireValue(item)
		}
		return object
	}
	return v
}
