/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An XML document whose reader has to account for all of it: what it takes is marked, and what is
 * left in the end is told of, element by element. Build machine only: it needs libxml2.
 */
#ifndef HVINIT_XML_H
#define HVINIT_XML_H

#include <libxml/tree.h>

#include "diag.h"

enum {
	XML_BYTES = 1024 * 1024, /* of a document; libvirt's largest have a tenth of that */
	XML_FINDINGS = 512,
};

struct xml_finding {
	unsigned line;
	enum diag_code code;
	char text[DIAG_TEXT];
};

/* Whoever opens it need not clear it. */
struct xml {
	xmlDoc *doc;
	unsigned findings;
	unsigned dropped; /* findings beyond XML_FINDINGS */
	struct xml_finding finding[XML_FINDINGS];
};

/* What a document may hold without being read, and why other things in it are not: see xml_rest().
 */
enum xml_meaning {
	XML_SAME, /* the element with all that is in it says what is so in any case */
	XML_OPEN, /* the element says nothing itself; what is in it counts */
	XML_LOST, /* it is lost, for a reason that is worth saying */
};

struct xml_rule {
	enum xml_meaning meaning;
	const char *path; /* below the root, without numbers: "devices/rng", "os/type/@arch" */
	const char *attribute; /* holds only when the element has it with that value; or NULL */
	const char *value; /* of it, or of an attribute itself; NULL: any */
	const char *reason; /* of XML_LOST */
};

/*
 * Parses len bytes of text without looking at any other file, and returns the root element, or NULL
 * with a reason in error. A document type is refused, and with it every entity. Comments are gone,
 * and each text is in one piece. xml_close() gives all of it back.
 */
xmlNode *xml_open(struct xml *xml, const char *text, size_t len, char *error, size_t size);
void xml_close(struct xml *xml);

/* The element itself is read, but not what is in it. */
void xml_take(xmlNode *node);
/* The first child element of that name, or the next one after another: NULL at the end; taken. */
xmlNode *xml_child(xmlNode *parent, const char *name);
xmlNode *xml_next(xmlNode *node);
/* The same in another name space than libvirt's own. */
xmlNode *xml_child_of(xmlNode *parent, const char *space, const char *name);
/* An attribute's value, or NULL; taken. Owned by the document, as all texts are. */
const char *xml_attr(xmlNode *node, const char *name);
/* An element's text without the blanks around it, which are cut off; "" when it has none. */
const char *xml_text(xmlNode *node);
unsigned xml_line(const xmlNode *node);

/* Tells that the element, with all that is in it, or an attribute of it, is not carried over. */
PRINTF_LIKE(3, 4) void xml_lost(struct xml *xml, xmlNode *node, const char *fmt, ...);
PRINTF_LIKE(4, 5)
void xml_lost_attr(struct xml *xml, xmlNode *node, const char *name, const char *fmt, ...);
/* Tells something else about an element. */
PRINTF_LIKE(4, 5)
void xml_tell(struct xml *xml, const xmlNode *node, enum diag_code code, const char *fmt, ...);
/* The same where only the line is known. */
PRINTF_LIKE(4, 5)
void xml_tell_line(struct xml *xml, unsigned line, enum diag_code code, const char *fmt, ...);

/* Tells of all that was neither taken nor lost, as the rules (count of them) have it. */
void xml_rest(struct xml *xml, const struct xml_rule *rule, size_t count);

/* Puts the findings in the order of their lines. */
void xml_sort(struct xml *xml);

#endif
