package api

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"cicd/rehearsal/aws/ec2"
	"cicd/rehearsal/aws/iam"
)

func instances(a *api) *ec2.Service { return a.Instances }

// ofForm makes an action of a service's method, whose types are those of EC2's query protocol: the fields of In are named
// as its parameters, and Out is marshalled as XML.
func ofForm[Service, In, Out any](service func(*api) Service, call func(Service, iam.Session, In) (Out, error)) action {
	return func(a *api, s iam.Session, body []byte) (any, error) {
		var in In
		form, err := url.ParseQuery(string(body))
		if err == nil {
			err = decodeForm(form, &in)
		}
		if err != nil {
			return nil, fault{"InvalidParameterException", fmt.Sprintf("the rehearsal does not serve this request: %v", err)}
		}
		return call(service(a), s, in)
	}
}

// decodeForm fills a struct with parameters: Name, Name.Member of a structure, Name.1 and Name.1.Member of a list (Smithy,
// "AWS EC2 query protocol"). A field's tag has the parameter's name if it is another. An unsupported parameter is an
// error, so that none is ignored.
func decodeForm(form url.Values, request any) error {
	d := formDecoder{form, map[string]bool{"Action": true, "Version": true}}
	if err := d.decode(reflect.ValueOf(request).Elem(), ""); err != nil {
		return err
	}
	for name := range form {
		if !d.known[name] {
			return fmt.Errorf("unknown parameter %q", name)
		}
	}
	return nil
}

type formDecoder struct {
	form  url.Values
	known map[string]bool // the parameters that have been decoded
}

func (d formDecoder) decode(v reflect.Value, name string) (err error) {
	text := d.form.Get(name)
	d.known[name] = true
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			member := field.Name
			if tag, ok := field.Tag.Lookup("query"); ok {
				member = tag
			}
			if err := d.decode(v.Field(i), strings.TrimPrefix(name+"."+member, ".")); err != nil {
				return err
			}
		}
	case reflect.Slice:
		for n := 1; d.has(fmt.Sprintf("%s.%d", name, n)); n++ {
			element := reflect.New(v.Type().Elem()).Elem()
			if err := d.decode(element, fmt.Sprintf("%s.%d", name, n)); err != nil {
				return err
			}
			v.Set(reflect.Append(v, element))
		}
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "" {
			var flag bool
			flag, err = strconv.ParseBool(text)
			v.SetBool(flag)
		}
	case reflect.Int:
		if text != "" {
			var number int
			number, err = strconv.Atoi(text)
			v.SetInt(int64(number))
		}
	default:
		panic("a parameter cannot be a " + v.Kind().String())
	}
	if err != nil {
		return fmt.Errorf("parameter %s: %w", name, err)
	}
	return nil
}

// has reports whether there is a parameter of this name, or a member of it.
func (d formDecoder) has(name string) bool {
	for other := range d.form {
		if other == name || strings.HasPrefix(other, name+".") {
			return true
		}
	}
	return false
}

// ec2Protocol is EC2's own query protocol. Its responses have no element for the result, and its errors are in a list
// (Smithy, "AWS EC2 query protocol").
type ec2Protocol struct{ requestID, action string }

func (p ec2Protocol) write(w http.ResponseWriter, answer any) {
	var fields bytes.Buffer
	if err := xml.NewEncoder(&fields).EncodeElement(answer, xml.StartElement{Name: xml.Name{Local: "x"}}); err != nil {
		panic(err) // the types of answers always marshal
	}
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	fmt.Fprintf(w, "%s<%sResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n    <requestId>%s</requestId>\n    %s\n</%[2]sResponse>",
		xml.Header, p.action, p.requestID, bytes.TrimSuffix(bytes.TrimPrefix(fields.Bytes(), []byte("<x>")), []byte("</x>")))
}

// ec2Errors are EC2's names for what all services have another name for, with their messages, "" for the same (EC2 API
// Reference, "Error codes for the Amazon EC2 API"; what it says of a wrong or expired signature is from memory).
var ec2Errors = map[string]fault{
	"AccessDeniedException":               {"UnauthorizedOperation", "You are not authorized to perform this operation. "},
	"ExpiredTokenException":               {"RequestExpired", "Request has expired."},
	"IncompleteSignatureException":        {"IncompleteSignature", ""},
	"InvalidParameterException":           {"InvalidParameter", ""},
	"InvalidSignatureException":           {"AuthFailure", "AWS was not able to validate the provided access credentials"},
	"MissingAuthenticationTokenException": {"MissingAuthenticationToken", ""},
	"ServerException":                     {"InternalError", ""},
	"UnknownOperationException":           {"InvalidAction", ""},
	"UnrecognizedClientException":         {"AuthFailure", "AWS was not able to validate the provided access credentials"},
}

func (p ec2Protocol) writeError(w http.ResponseWriter, f fault) {
	status := statusOf(f, http.StatusBadRequest)
	if own, ok := ec2Errors[f.code]; ok {
		switch {
		case f.code == "AccessDeniedException": // EC2 adds the decision in a code that only sts:DecodeAuthorizationMessage can read
			f.message = own.message + f.message
		case own.message != "":
			f.message = own.message + ": " + f.message
		}
		f.code = own.code
	}
	switch {
	case f.code == "AuthFailure":
		status = http.StatusUnauthorized
	case slices.Contains([]string{"UnauthorizedOperation", "MissingAuthenticationToken"}, f.code):
		status = http.StatusForbidden
	}
	type detail struct{ Code, Message string }
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.WriteHeader(status)
	fmt.Fprint(w, xml.Header)
	xml.NewEncoder(w).Encode(struct {
		XMLName   xml.Name `xml:"Response"`
		Errors    []detail `xml:"Errors>Error"`
		RequestID string   `xml:"RequestID"`
	}{Errors: []detail{{f.code, f.message}}, RequestID: p.requestID})
}
