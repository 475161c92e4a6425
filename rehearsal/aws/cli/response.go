package cli

import (
	"encoding/base64"
	"reflect"
	"strings"
	"time"
)

// A service's names in JSON, for the SDK's names of fields.
func asIs(name string) string       { return name }
func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }

// responseOf returns a response of the SDK as the CLI has it, by the names of the service's JSON: maps, slices,
// strings, numbers as float64 and bools. What the service did not send is left out.
func responseOf(out any, nameOf func(field string) string) map[string]any {
	response := dataOf(reflect.ValueOf(out), nameOf).(map[string]any)
	delete(response, nameOf("ResultMetadata"))
	return response
}

// dataOf returns nil for what is not there.
func dataOf(v reflect.Value, nameOf func(field string) string) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return dataOf(v.Elem(), nameOf)
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			return isoTime(at)
		}
		return fieldsOf(v, nameOf)
	case reflect.Slice:
		if blob, ok := v.Interface().([]byte); ok && blob != nil {
			return base64.StdEncoding.EncodeToString(blob)
		}
		return itemsOf(v, nameOf)
	case reflect.String:
		if v.Len() == 0 && v.Type() != reflect.TypeFor[string]() { // of an enumeration
			return nil
		}
		return v.String()
	case reflect.Int32, reflect.Int64:
		return float64(v.Int())
	case reflect.Bool:
		return v.Bool()
	}
	return nil
}

func fieldsOf(v reflect.Value, nameOf func(field string) string) map[string]any {
	data := map[string]any{}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		if value := dataOf(v.Field(i), nameOf); value != nil {
			data[nameOf(field.Name)] = value
		}
	}
	return data
}

func itemsOf(v reflect.Value, nameOf func(field string) string) any {
	if v.IsNil() {
		return nil
	}
	items := make([]any, v.Len())
	for i := range items {
		items[i] = dataOf(v.Index(i), nameOf)
	}
	return items
}

// isoTime is Python's isoformat, which version 2 of the CLI shows for times.
func isoTime(at time.Time) string {
	if at.Nanosecond() == 0 {
		return at.Local().Format("2006-01-02T15:04:05-07:00")
	}
	return at.Local().Format("2006-01-02T15:04:05.000000-07:00")
}
