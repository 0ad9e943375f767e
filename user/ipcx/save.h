/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An output file that appears when it is complete, or not at all.
 */
#ifndef IPCX_SAVE_H
#define IPCX_SAVE_H

/*
 * struct save
 * @fd:   what to write to
 * @path: the file that @temp becomes; NULL if @fd is written to as it is
 * @temp: complete only after save_commit(); gone after save_abort(), and after
 *	  a signal
 */
struct save {
	int fd;
	char *path;
	char *temp;
};

int save_open(struct save *save, const char *file);
int save_commit(struct save *save);
void save_abort(struct save *save);

#endif /* IPCX_SAVE_H */
