/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks what was read of a document in the field that libxml2 leaves to programs. */
#include "xml.h"

#include <ctype.h>
#include <libxml/parser.h>
#include <stdlib.h>

#include "text.h"
#include "util.h"

/* What _private of nodes and attributes points to: nothing, or this. */
static char taken_mark;
static char lost_mark;

static const char *str(const xmlChar *text)
{
	return text ? (const char *)text : "";
}

/* --- reading --- */

static void explain(const xmlParserCtxt *context, char *error, size_t size)
{
	const char *text = context->lastError.message ? context->lastError.message : "it is empty";

	str_format(error, size, "line %d: %.*s",
		   context->lastError.line > 0 ? context->lastError.line : 1,
		   (int)strcspn(text, "\n"), text);
}

xmlNode *xml_open(struct xml *xml, const char *text, size_t len, char *error, size_t size)
{
	xmlParserCtxt *context = xmlNewParserCtxt();
	xmlNode *root;

	xml->findings = 0;
	xml->dropped = 0;
	/* Texts that a comment cuts in two, say a path's, would be read by halves. */
	context->sax->comment = NULL;
	context->sax->processingInstruction = NULL;
	xml->doc = xmlCtxtReadMemory(context, text, (int)len, NULL, NULL,
				     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
					     XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES);
	if (!xml->doc)
		explain(context, error, size);
	xmlFreeParserCtxt(context);
	if (!xml->doc)
		return NULL;
	root = xmlDocGetRootElement(xml->doc);
	if (root && !xml->doc->intSubset && !xml->doc->extSubset)
		return root;
	str_copy(error, size, "it has a document type, which no domain of libvirt's has");
	xml_close(xml);
	return NULL;
}

void xml_close(struct xml *xml)
{
	xmlFreeDoc(xml->doc);
	xml->doc = NULL;
}

void xml_take(xmlNode *node)
{
	node->_private = &taken_mark;
}

/* The first element of that name from node on. */
static xmlNode *find(xmlNode *node, const char *space, const char *name)
{
	for (; node; node = node->next) {
		if (node->type != XML_ELEMENT_NODE || strcmp(str(node->name), name) != 0 ||
		    strcmp(node->ns ? str(node->ns->href) : "", space) != 0)
			continue;
		xml_take(node);
		return node;
	}
	return NULL;
}

xmlNode *xml_child(xmlNode *parent, const char *name)
{
	return parent ? find(parent->children, "", name) : NULL;
}

xmlNode *xml_child_of(xmlNode *parent, const char *space, const char *name)
{
	return parent ? find(parent->children, space, name) : NULL;
}

xmlNode *xml_next(xmlNode *node)
{
	return find(node->next, node->ns ? str(node->ns->href) : "", str(node->name));
}

static const char *value_of(const xmlAttr *attr)
{
	return attr->children ? str(attr->children->content) : "";
}

const char *xml_attr(xmlNode *node, const char *name)
{
	if (!node)
		return NULL;
	for (xmlAttr *attr = node->properties; attr; attr = attr->next) {
		if (attr->ns || strcmp(str(attr->name), name) != 0)
			continue;
		attr->_private = &taken_mark;
		return value_of(attr);
	}
	return NULL;
}

const char *xml_text(xmlNode *node)
{
	xmlNode *child = node ? node->children : NULL;
	char *text;
	size_t len;

	while (child && child->type != XML_TEXT_NODE)
		child = child->next;
	if (!child || !child->content)
		return "";
	text = (char *)child->content;
	for (len = strlen(text); len > 0 && isspace((unsigned char)text[len - 1]);)
		text[--len] = '\0';
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

unsigned xml_line(const xmlNode *node)
{
	long line = xmlGetLineNo(node);

	return line > 0 ? (unsigned)line : 0;
}

/* --- telling --- */

static void keep(struct xml *xml, unsigned line, enum diag_code code, const char *text)
{
	struct xml_finding *finding = &xml->finding[xml->findings];
	struct text_filter filter = { 0 };
	char safe[DIAG_TEXT + TEXT_HELD];
	size_t len;

	if (xml->findings == XML_FINDINGS) {
		xml->dropped++;
		return;
	}
	xml->findings++;
	finding->line = line;
	finding->code = code;
	/* Names and values are the document's, and are shown on a terminal. */
	len = text_filter(&filter, text, strlen(text), safe);
	safe[len < DIAG_TEXT ? len : DIAG_TEXT - 1] = '\0';
	for (char *at = safe; (at = strpbrk(at, "\n\t"));) /* a finding is one line */
		*at = ' ';
	str_copy(finding->text, sizeof(finding->text), safe);
}

void xml_tell_line(struct xml *xml, unsigned line, enum diag_code code, const char *fmt, ...)
{
	char text[DIAG_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	keep(xml, line, code, text);
}

static bool has_name(const xmlNode *node, const xmlNode *other)
{
	return node->type == XML_ELEMENT_NODE && xmlStrEqual(node->name, other->name);
}

/* Its place among the children of its name, from 1; 0 when it is the only one. */
static unsigned number(const xmlNode *node)
{
	unsigned before = 1;
	bool alone = true;

	for (const xmlNode *other = node->prev; other; other = other->prev)
		before += has_name(other, node);
	for (const xmlNode *other = node->next; other && alone; other = other->next)
		alone = !has_name(other, node);
	return before > 1 || !alone ? before : 0;
}

/* Writes "/domain/devices/disk[2]"; "…" stands for the beginning of what does not fit. */
static void path_of(const xmlNode *node, char *path, size_t size)
{
	char rest[2][DIAG_TEXT] = { "", "" };
	unsigned last = 0;

	for (; node && node->type == XML_ELEMENT_NODE; node = node->parent) {
		const char *prefix = node->ns && node->ns->prefix ? str(node->ns->prefix) : NULL;
		unsigned n = number(node);
		char index[16] = "";

		if (n)
			str_format(index, sizeof(index), "[%u]", n);
		str_format(rest[!last], sizeof(rest[0]), "/%.40s%s%.80s%s%s", prefix ? prefix : "",
			   prefix ? ":" : "", str(node->name), index, rest[last]);
		if (strlen(rest[!last]) + sizeof("…") > size) {
			str_format(path, size, "…%s", rest[last]);
			return;
		}
		last = !last;
	}
	str_copy(path, size, rest[last]);
}

enum { PATH_SIZE = 200 };

/* A path is as long in the making as its element has siblings: not for what nobody will see. */
static bool is_full(struct xml *xml)
{
	xml->dropped += xml->findings == XML_FINDINGS;
	return xml->findings == XML_FINDINGS;
}

void xml_tell(struct xml *xml, const xmlNode *node, enum diag_code code, const char *fmt, ...)
{
	char text[DIAG_TEXT];
	char path[PATH_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (is_full(xml))
		return;
	path_of(node, path, sizeof(path));
	xml_tell_line(xml, xml_line(node), code, "%s: %s", path, text);
}

void xml_lost(struct xml *xml, xmlNode *node, const char *fmt, ...)
{
	char reason[DIAG_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	node->_private = &lost_mark;
	xml_tell(xml, node, DIAG_IMPORT_LOST, "not carried: %s", reason);
}

void xml_lost_attr(struct xml *xml, xmlNode *node, const char *name, const char *fmt, ...)
{
	char reason[DIAG_TEXT];
	char path[PATH_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	xml_attr(node, name);
	if (is_full(xml))
		return;
	path_of(node, path, sizeof(path));
	xml_tell_line(xml, xml_line(node), DIAG_IMPORT_LOST, "%s/@%.40s: not carried: %s", path,
		      name, reason);
}

/* --- what is left --- */

struct rest {
	struct xml *xml;
	const struct xml_rule *rule;
	size_t count;
};

/* Writes the path as rules have it: "devices/disk/driver". */
static void plain_path(const xmlNode *node, char *path, size_t size)
{
	size_t used;

	path[0] = '\0';
	if (!node->parent || node->parent->type != XML_ELEMENT_NODE)
		return;
	plain_path(node->parent, path, size);
	used = strlen(path);
	str_format(path + used, size - used, "%s%s%s%s", used ? "/" : "",
		   node->ns && node->ns->prefix ? str(node->ns->prefix) : "",
		   node->ns && node->ns->prefix ? ":" : "", str(node->name));
}

static bool has_value(const xmlNode *node, const char *name, const char *value)
{
	for (const xmlAttr *attr = node->properties; attr; attr = attr->next)
		if (strcmp(str(attr->name), name) == 0)
			return !value || strcmp(value_of(attr), value) == 0;
	return false;
}

static const struct xml_rule *find_rule(const struct rest *rest, const char *path,
					const xmlNode *node, const char *value)
{
	for (size_t i = 0; i < rest->count; i++) {
		const struct xml_rule *rule = &rest->rule[i];

		if (strcmp(rule->path, path) != 0)
			continue;
		if (rule->attribute ? has_value(node, rule->attribute, rule->value) :
				      !rule->value || strcmp(rule->value, value) == 0)
			return rule;
	}
	return NULL;
}

static void rest_of_attr(const struct rest *rest, xmlNode *node, const xmlAttr *attr)
{
	char path[PATH_SIZE];
	const struct xml_rule *rule;
	size_t used;

	if (attr->_private)
		return;
	plain_path(node, path, sizeof(path));
	used = strlen(path);
	str_format(path + used, sizeof(path) - used, "%s@%s", used ? "/" : "", str(attr->name));
	rule = find_rule(rest, path, node, value_of(attr));
	if (rule && rule->meaning != XML_LOST)
		return;
	xml_lost_attr(rest->xml, node, str(attr->name), "%s",
		      rule ? rule->reason : "a manifest has no word for it");
}

/* libxml2 refuses documents that are deeper than 256 elements. */
static void rest_of(const struct rest *rest, xmlNode *node)
{
	char path[PATH_SIZE];
	const struct xml_rule *rule;

	if (node->_private == &lost_mark)
		return;
	if (!node->_private) {
		plain_path(node, path, sizeof(path));
		rule = find_rule(rest, path, node, xml_text(node));
		if (rule && rule->meaning == XML_SAME)
			return;
		if (!rule || rule->meaning == XML_LOST) {
			xml_lost(rest->xml, node, "%s",
				 rule ? rule->reason : "a manifest has no word for it");
			return;
		}
	}
	for (const xmlAttr *attr = node->properties; attr; attr = attr->next)
		rest_of_attr(rest, node, attr);
	for (xmlNode *child = node->children; child; child = child->next)
		if (child->type == XML_ELEMENT_NODE)
			rest_of(rest, child);
}

void xml_rest(struct xml *xml, const struct xml_rule *rule, size_t count)
{
	const struct rest rest = { xml, rule, count };

	rest_of(&rest, xmlDocGetRootElement(xml->doc));
}

static int by_line(const void *a, const void *b)
{
	const struct xml_finding *x = a;
	const struct xml_finding *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return strcmp(x->text, y->text);
}

void xml_sort(struct xml *xml)
{
	qsort(xml->finding, xml->findings, sizeof(xml->finding[0]), by_line);
}
