/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _IPCX_INDEX_H
#define _IPCX_INDEX_H

#include <linux/ipcx.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * struct ipcx_aged - an entry of a tree, in the order of its key, then its age
 * @node:   in the tree
 * @key:    any number; many entries may have the same
 * @seq:    its age, less is older; a key and a seq name one entry
 * @oldest: least seq of it and all entries below it, kept by the tree
 *
 * The tree's user guards it.
 */
struct ipcx_aged {
	struct rb_node node;
	u64 key;
	u64 seq;
	u64 oldest;
};

/**
 * struct ipcx_run - an entry of a tree of runs, and the first of a run or behind it
 * @aged: in the tree, if it is the first
 * @next: of the same key and younger, or NULL
 * @last: of the first: the run's last, or NULL if it stays alone
 *
 * The tree's user guards it.
 */
struct ipcx_run {
	struct ipcx_aged aged;
	struct ipcx_run *next;
	struct ipcx_run *last;
};

void ipcx_run_add(struct rb_root *root, struct ipcx_run *run);
void ipcx_run_put_back(struct rb_root *root, struct ipcx_run *run);
void ipcx_run_take(struct rb_root *root, struct ipcx_run *run);
struct ipcx_aged *ipcx_run_next(const struct rb_root *root, const struct ipcx_run *run,
				bool inside);

struct ipcx_aged *ipcx_aged_from(const struct rb_root *root, u64 key, u64 seq);
struct ipcx_aged *ipcx_aged_oldest(const struct rb_root *root);
struct ipcx_aged *ipcx_aged_oldest_except(const struct rb_root *root, u64 except);

struct ipcx_interest;

/* One entry of an interest. */
struct ipcx_interest_entry {
	struct ipcx_aged aged;
	struct ipcx_interest *interest;
};

/**
 * struct ipcx_interest - which messages somebody wants
 * @select: the selector, not %IPCX_SELECT_FILE
 * @seq:    since when he does, less is longer; while it is in an index
 * @nr:     length of @many, or 1
 * @many:   its entries, if there are several: this interest's memory
 * @one:    its entry, if there is one
 */
struct ipcx_interest {
	struct ipcx_select select;
	u64 seq;
	unsigned int nr;
	struct ipcx_interest_entry *many;
	struct ipcx_interest_entry one;
};

/**
 * struct ipcx_interests - interests, by the types that they cover
 * @blocks: those in a range of types, of which one type and all types are the
 *	    extremes: entries by block
 * @except: those in all types but one: entries by that one
 *
 * The index's user guards it.
 */
struct ipcx_interests {
	struct rb_root blocks;
	struct rb_root except;
};

static inline bool ipcx_interests_empty(const struct ipcx_interests *index)
{
	return RB_EMPTY_ROOT(&index->blocks) && RB_EMPTY_ROOT(&index->except);
}

int ipcx_select_check(const struct ipcx_select *select);
bool ipcx_select_matches(const struct ipcx_select *select, u64 type);

bool ipcx_interest_init_simple(struct ipcx_interest *interest,
			       const struct ipcx_select *select);
int ipcx_interest_init(struct ipcx_interest *interest,
		       const struct ipcx_select *select);
void ipcx_interest_uninit(struct ipcx_interest *interest);

void ipcx_interest_add(struct ipcx_interests *index,
		       struct ipcx_interest *interest, u64 seq);
void ipcx_interest_del(struct ipcx_interests *index,
		       struct ipcx_interest *interest);
struct ipcx_interest *ipcx_interest_first(const struct ipcx_interests *index,
					  u64 type);

/**
 * struct ipcx_cursor - how far a walk over those who want a type has come
 * @level: of the block; 64 for those who want all types but one
 * @key:   of the last entry
 * @seq:   likewise
 *
 * All zeros to begin. It holds nothing, so that entries may come and go meanwhile.
 */
struct ipcx_cursor {
	int level;
	u64 key;
	u64 seq;
};

struct ipcx_interest *ipcx_interest_next(const struct ipcx_interests *index,
					 u64 type, struct ipcx_cursor *cursor);
struct ipcx_interest *ipcx_interest_some(const struct ipcx_interests *index);

#endif /* _IPCX_INDEX_H */
