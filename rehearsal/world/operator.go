package world

// Operator returns the variables with which AWS's clients on this machine find the rehearsed account, as a person who may
// do everything there that no policy denies.
func (w *World) Operator() map[string]string {
	person := w.cloud.authority.Administrator("operator").Credentials
	return map[string]string{
		"AWS_ENDPOINT_URL":      w.cloud.api.URL,
		"AWS_REGION":            w.cloud.account.Region(),
		"AWS_DEFAULT_REGION":    w.cloud.account.Region(), // for version 1 of the AWS CLI
		"AWS_ACCESS_KEY_ID":     person.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": person.SecretAccessKey,
		"AWS_SESSION_TOKEN":     person.SessionToken,
	}
}
