// SPDX-License-Identifier: GPL-2.0
/*
 * Prints what this compiler makes of the UAPI, for compat_32.c to compare.
 */
#include "layout.h"

int main(void)
{
	static char text[LAYOUT_TEXT];
	size_t len = layout_text(text);

	return fwrite(text, 1, len, stdout) == len ? 0 : 1;
}
