// Package news tells a person what is new about watched domains, once: by mail or
// to a webhook.
//
//	[]watch.Report, State -> Compare -> []Item, State -> Mail, Webhook
//
// [Compare] is pure. [Tell] keeps the State in a file. It is written after everybody
// was told, so that news is told twice rather than never. It also has what somebody
// could not be told.
package news
