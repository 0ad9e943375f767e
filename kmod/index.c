// SPDX-License-Identifier: GPL-2.0
/*
 * Indexes of a queue: messages by type and age, and who waits by what he wants.
 *
 * Both are trees ordered by a key and, among equals, by age; each entry also
 * knows the age of the oldest below it (an augmented tree, see
 * Documentation/core-api/rbtree.rst of the kernel). So the oldest of one key,
 * the oldest of the lowest key in a range, the oldest of all, and the oldest
 * of all keys but one are each found on one way down.
 *
 * Most messages aren't in the tree, but in a *run* behind an older one of their type
 * that is: a list, in the order of age, to whose end new ones are added. That works since
 * whatever selects messages takes the oldest of a type. So one that comes back after it
 * had been taken is older than all of its type that never were, which alone make runs: it
 * needn't be put into the middle of one, but goes into the tree by itself, before the run.
 *
 * For waiters the question is the other way round: of all ranges that contain a
 * type, which has waited longest? The types 0 to 2^63-1 are the leaves of
 * a perfect binary tree, in which a range is the union of at most 126 subtrees,
 * the *blocks* (as in a segment tree). Blocks are numbered as a heap is: the root
 * is 1, below i are 2i and 2i+1. A range is entered under each of its blocks; a
 * type lies in 64 blocks, one a level, and asks for each level that has any
 * entry. One type is one block, all types are one, too.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/rbtree_augmented.h>
#include <linux/slab.h>

#include "index.h"

/* ---- Trees ---- */

static struct ipcx_aged *to_aged(struct rb_node *node)
{
	return rb_entry_safe(node, struct ipcx_aged, node);
}

static u64 oldest_below(const struct rb_node *node)
{
	return node ? rb_entry(node, struct ipcx_aged, node)->oldest : U64_MAX;
}

/* Set entry->oldest; tell whether it was right. */
static bool aged_update(struct ipcx_aged *entry, bool exit)
{
	u64 oldest = min3(entry->seq, oldest_below(entry->node.rb_left),
			  oldest_below(entry->node.rb_right));

	if (exit && entry->oldest == oldest)
		return true;
	entry->oldest = oldest;
	return false;
}

RB_DECLARE_CALLBACKS(static, aged_callbacks, struct ipcx_aged, node, oldest,
		     aged_update);

/* The one entry of a tree that has one, or NULL. */
static struct ipcx_aged *aged_only(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	return node && !node->rb_left && !node->rb_right ? to_aged(node) : NULL;
}

/* Does @entry come before (@key, @seq)? */
static bool aged_before(const struct ipcx_aged *entry, u64 key, u64 seq)
{
	return entry->key < key || (entry->key == key && entry->seq < seq);
}

/* Enter @entry, with key and seq. */
static void aged_insert(struct rb_root *root, struct ipcx_aged *entry)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		struct ipcx_aged *at = to_aged(*link);

		parent = *link;
		if (at->oldest > entry->seq)
			at->oldest = entry->seq;
		link = aged_before(at, entry->key, entry->seq) ?
			       &parent->rb_right : &parent->rb_left;
	}
	entry->oldest = entry->seq;
	rb_link_node(&entry->node, parent, link);
	rb_insert_augmented(&entry->node, root, &aged_callbacks);
}

static void aged_erase(struct rb_root *root, struct ipcx_aged *entry)
{
	if (aged_only(root))
		*root = RB_ROOT;
	else
		rb_erase_augmented(&entry->node, root, &aged_callbacks);
}

/**
 * ipcx_aged_from - the first entry from here on
 * @root: the tree
 * @key:  its key is this and its seq at least @seq, or its key is greater
 * @seq:  see @key
 *
 * Return: the entry, or NULL.
 */
struct ipcx_aged *ipcx_aged_from(const struct rb_root *root, u64 key, u64 seq)
{
	struct ipcx_aged *at = to_aged(root->rb_node), *found = NULL;

	while (at) {
		if (aged_before(at, key, seq)) {
			at = to_aged(at->node.rb_right);
		} else {
			found = at;
			at = to_aged(at->node.rb_left);
		}
	}
	return found;
}

/* ---- Runs ---- */

static struct ipcx_run *to_run(struct ipcx_aged *aged)
{
	return container_of(aged, struct ipcx_run, aged);
}

/* The last entry with this key, or NULL. */
static struct ipcx_aged *aged_last(const struct rb_root *root, u64 key)
{
	struct ipcx_aged *at = to_aged(root->rb_node), *found = NULL;

	while (at) {
		if (at->key == key)
			found = at;
		at = to_aged(at->key > key ? at->node.rb_left : at->node.rb_right);
	}
	return found;
}

/**
 * ipcx_run_add - enter what has never been in there
 * @root: a tree of runs
 * @run:  with key and seq, greater than any that has been in there
 */
void ipcx_run_add(struct rb_root *root, struct ipcx_run *run)
{
	struct ipcx_aged *at = aged_last(root, run->aged.key);
	struct ipcx_run *first = at ? to_run(at) : NULL;

	run->next = NULL;
	if (first && first->last) {
		first->last->next = run;
		first->last = run;
	} else {
		run->last = run;
		aged_insert(root, &run->aged);
	}
}

/**
 * ipcx_run_put_back - enter again what has been taken, or was never entered
 * @root: a tree of runs
 * @run:  with key and seq, less than any of its key that was never taken
 */
void ipcx_run_put_back(struct rb_root *root, struct ipcx_run *run)
{
	run->next = NULL;
	run->last = NULL;
	aged_insert(root, &run->aged);
}

/**
 * ipcx_run_take - take out the oldest of its key
 * @root: a tree of runs
 * @run:  in the tree, not behind another
 */
void ipcx_run_take(struct rb_root *root, struct ipcx_run *run)
{
	struct ipcx_run *next = run->next;

	if (!next) {
		aged_erase(root, &run->aged);
		return;
	}
	next->last = run->last;
	next->aged.oldest = run->aged.oldest;
	rb_replace_node(&run->aged.node, &next->aged.node, root);
	aged_callbacks.propagate(&next->aged.node, NULL);
}

/**
 * ipcx_run_next - what comes after an entry, by key and age
 * @root:   a tree of runs
 * @run:    the entry
 * @inside: it is still there
 *
 * If it isn't, what was behind it in its run has moved up.
 *
 * Return: the next, or NULL.
 */
struct ipcx_aged *ipcx_run_next(const struct rb_root *root, const struct ipcx_run *run,
				bool inside)
{
	if (inside && run->next)
		return &run->next->aged;
	return ipcx_aged_from(root, run->aged.key, run->aged.seq + 1);
}

/* ---- Searches ---- */

/**
 * struct search - for the oldest
 * @seq: the least so far
 * @at:  it is this entry or below it
 */
struct search {
	u64 seq;
	struct ipcx_aged *at;
};

static void search_entry(struct search *search, struct ipcx_aged *entry)
{
	if (entry->seq < search->seq)
		*search = (struct search) { entry->seq, entry };
}

static void search_below(struct search *search, struct rb_node *node)
{
	if (oldest_below(node) < search->seq)
		*search = (struct search) { oldest_below(node), to_aged(node) };
}

/* Of those at @at and below with a key less than @except, or greater. */
static void search_side(struct search *search, struct ipcx_aged *at, u64 except,
			bool less)
{
	while (at) {
		struct rb_node *near = less ? at->node.rb_right : at->node.rb_left;
		struct rb_node *far = less ? at->node.rb_left : at->node.rb_right;

		if (at->key == except) {
			at = to_aged(far);
			continue;
		}
		search_entry(search, at);
		search_below(search, far);
		at = to_aged(near);
	}
}

/* At @at or below it, whose age is known. */
static struct ipcx_aged *find_below(struct ipcx_aged *at, u64 seq)
{
	while (at && at->seq != seq)
		at = to_aged(oldest_below(at->node.rb_left) == seq ?
				     at->node.rb_left : at->node.rb_right);
	return at;
}

/**
 * ipcx_aged_oldest - the oldest entry
 * @root: the tree
 *
 * Return: the entry, or NULL.
 */
struct ipcx_aged *ipcx_aged_oldest(const struct rb_root *root)
{
	return find_below(to_aged(root->rb_node), oldest_below(root->rb_node));
}

/**
 * ipcx_aged_oldest_except - the oldest entry with another key
 * @root:   the tree
 * @except: not one with this key
 *
 * Return: the entry, or NULL.
 */
struct ipcx_aged *ipcx_aged_oldest_except(const struct rb_root *root, u64 except)
{
	struct ipcx_aged *at = to_aged(root->rb_node);
	struct search search = { .seq = U64_MAX };

	/* Until the way parts, all on the far side of an entry have other keys. */
	while (at && at->key != except) {
		bool less = at->key < except;

		search_entry(&search, at);
		search_below(&search, less ? at->node.rb_left : at->node.rb_right);
		at = to_aged(less ? at->node.rb_right : at->node.rb_left);
	}
	if (at) {
		search_side(&search, to_aged(at->node.rb_left), except, true);
		search_side(&search, to_aged(at->node.rb_right), except, false);
	}
	return find_below(search.at, search.seq);
}

/* ---- Selectors ---- */

/**
 * ipcx_select_check - is this a selector?
 * @select: as user space gave it
 *
 * Return: 0 or -EINVAL.
 */
int ipcx_select_check(const struct ipcx_select *select)
{
	u64 lo = select->lo, hi = select->hi;

	if (select->reserved)
		return -EINVAL;
	switch (select->how) {
	case IPCX_SELECT_FILE:
	case IPCX_SELECT_ANY:
		return lo || hi ? -EINVAL : 0;
	case IPCX_SELECT_EXACT:
	case IPCX_SELECT_EXCEPT:
		return !lo || lo > IPCX_MSG_TYPE_MAX || hi ? -EINVAL : 0;
	case IPCX_SELECT_RANGE:
		return !lo || lo > hi || hi > IPCX_MSG_TYPE_MAX ? -EINVAL : 0;
	}
	return -EINVAL;
}

/**
 * ipcx_select_matches - does a selector want a message?
 * @select: not %IPCX_SELECT_FILE
 * @type:   the message's
 */
bool ipcx_select_matches(const struct ipcx_select *select, u64 type)
{
	switch (select->how) {
	case IPCX_SELECT_EXACT:
		return type == select->lo;
	case IPCX_SELECT_EXCEPT:
		return type != select->lo;
	case IPCX_SELECT_RANGE:
		return type >= select->lo && type <= select->hi;
	}
	return true;
}

/* ---- Interests ---- */

/* The number of the block that is one type. */
#define LEAF(type)	(BIT_ULL(63) | (type))

/* The block in which a type lies, @level below the root. */
static u64 block_of(u64 type, int level)
{
	return LEAF(type) >> (63 - level);
}

static int block_level(u64 block)
{
	return fls64(block) - 1;
}

/*
 * Cut lo..hi into blocks, from the leaves up. Return their number, and them if @entry
 * isn't NULL.
 */
static unsigned int range_blocks(u64 lo, u64 hi, struct ipcx_interest_entry *entry)
{
	u64 left = LEAF(lo), right = LEAF(hi);
	unsigned int nr = 0;

	while (left <= right) {
		/* A right child whose parent reaches out of the range, or a left. */
		if (left & 1) {
			if (entry)
				entry[nr].aged.key = left;
			nr++;
			left++;
		}
		if (!left)	/* the last leaf was the only one */
			break;
		if (!(right & 1)) {
			if (entry)
				entry[nr].aged.key = right;
			nr++;
			right--;
		}
		left >>= 1;
		right >>= 1;
	}
	return nr;
}

/**
 * ipcx_interest_init_simple - prepare for an index, if that takes no memory
 * @interest: in none
 * @select:   not %IPCX_SELECT_FILE
 *
 * Return: whether it is done, as for all selectors but ranges.
 */
bool ipcx_interest_init_simple(struct ipcx_interest *interest,
			       const struct ipcx_select *select)
{
	interest->select = *select;
	interest->many = NULL;
	interest->nr = 1;
	switch (select->how) {
	case IPCX_SELECT_RANGE:
		return false;
	case IPCX_SELECT_EXCEPT:
		interest->one.aged.key = select->lo;
		break;
	case IPCX_SELECT_EXACT:
		interest->one.aged.key = LEAF(select->lo);
		break;
	default:
		interest->one.aged.key = 1;
	}
	return true;
}

/**
 * ipcx_interest_init - prepare for an index
 * @interest: in none
 * @select:   not %IPCX_SELECT_FILE
 *
 * Return: 0 or -ENOMEM.
 */
int ipcx_interest_init(struct ipcx_interest *interest,
		       const struct ipcx_select *select)
{
	u64 lo, hi;

	if (ipcx_interest_init_simple(interest, select))
		return 0;
	/* No message has type 0, and with it there are fewer blocks. */
	lo = select->lo == 1 ? 0 : select->lo;
	hi = select->hi;
	interest->nr = range_blocks(lo, hi, NULL);
	if (interest->nr > 1) {
		interest->many = kcalloc(interest->nr, sizeof(*interest->many),
					 GFP_KERNEL_ACCOUNT);
		if (!interest->many)
			return -ENOMEM;
	}
	range_blocks(lo, hi, interest->many ?: &interest->one);
	return 0;
}

/**
 * ipcx_interest_uninit - free what ipcx_interest_init() allocated
 * @interest: in no index
 */
void ipcx_interest_uninit(struct ipcx_interest *interest)
{
	kfree(interest->many);
}

static struct ipcx_interest_entry *entries(struct ipcx_interest *interest)
{
	return interest->many ?: &interest->one;
}

static struct ipcx_interest *to_interest(struct ipcx_aged *aged)
{
	return container_of(aged, struct ipcx_interest_entry, aged)->interest;
}

static struct rb_root *tree_of(struct ipcx_interests *index,
			       const struct ipcx_interest *interest)
{
	return interest->select.how == IPCX_SELECT_EXCEPT ? &index->except :
							    &index->blocks;
}

/**
 * ipcx_interest_add - enter into an index
 * @index:    the index
 * @interest: in none
 * @seq:      another than that of all others in there
 */
void ipcx_interest_add(struct ipcx_interests *index,
		       struct ipcx_interest *interest, u64 seq)
{
	struct ipcx_interest_entry *entry = entries(interest);
	struct rb_root *root = tree_of(index, interest);
	unsigned int i;

	interest->seq = seq;
	for (i = 0; i < interest->nr; i++) {
		entry[i].interest = interest;
		entry[i].aged.seq = seq;
		aged_insert(root, &entry[i].aged);
	}
}

/**
 * ipcx_interest_del - take out of an index
 * @index:    the index
 * @interest: in it
 */
void ipcx_interest_del(struct ipcx_interests *index,
		       struct ipcx_interest *interest)
{
	struct ipcx_interest_entry *entry = entries(interest);
	struct rb_root *root = tree_of(index, interest);
	unsigned int i;

	for (i = 0; i < interest->nr; i++)
		aged_erase(root, &entry[i].aged);
}

/*
 * The first entry of the next block that contains @type, from @level down, which
 * becomes the block's; NULL if there is no more.
 */
static struct ipcx_aged *next_block(const struct ipcx_interests *index, u64 type,
				    int *level)
{
	while (*level < 64) {
		u64 block = block_of(type, *level);
		struct ipcx_aged *at = ipcx_aged_from(&index->blocks, block, 0);

		if (!at)
			break;
		if (at->key == block)
			return at;
		/* Levels on which there is nothing are skipped. */
		*level = max(*level + 1, block_level(at->key));
	}
	*level = 64;
	return NULL;
}

/**
 * ipcx_interest_first - who has waited longest for this?
 * @index: the index
 * @type:  a message's
 *
 * Return: the interest, or NULL.
 */
struct ipcx_interest *ipcx_interest_first(const struct ipcx_interests *index,
					  u64 type)
{
	struct ipcx_aged *first, *at = aged_only(&index->blocks);
	int level = 0;

	/* Mostly one waits. */
	if (at && RB_EMPTY_ROOT(&index->except))
		return ipcx_select_matches(&to_interest(at)->select, type) ?
			       to_interest(at) : NULL;
	first = ipcx_aged_oldest_except(&index->except, type);
	for (; (at = next_block(index, type, &level)); level++)
		if (!first || at->seq < first->seq)
			first = at;
	return first ? to_interest(first) : NULL;
}

/* Of those in blocks. */
static struct ipcx_aged *next_in_blocks(const struct ipcx_interests *index,
					u64 type, struct ipcx_cursor *cursor)
{
	struct ipcx_aged *at;

	if (cursor->key) {
		at = ipcx_aged_from(&index->blocks, cursor->key, cursor->seq + 1);
		if (at && at->key == cursor->key)
			return at;
		cursor->level++;
	}
	return next_block(index, type, &cursor->level);
}

static struct ipcx_aged *next_in_except(const struct ipcx_interests *index,
					u64 type, const struct ipcx_cursor *cursor)
{
	struct ipcx_aged *at =
		ipcx_aged_from(&index->except, cursor->key, cursor->seq + 1);

	return at && at->key == type ?
		       ipcx_aged_from(&index->except, type + 1, 0) : at;
}

/**
 * ipcx_interest_next - the next of all who wait for this
 * @index:  the index
 * @type:   a message's
 * @cursor: moved on
 *
 * Return: the interest, or NULL if there is no more.
 */
struct ipcx_interest *ipcx_interest_next(const struct ipcx_interests *index,
					 u64 type, struct ipcx_cursor *cursor)
{
	struct ipcx_aged *at = NULL;

	if (cursor->level < 64) {
		at = next_in_blocks(index, type, cursor);
		if (!at)
			*cursor = (struct ipcx_cursor) { .level = 64 };
	}
	if (!at)
		at = next_in_except(index, type, cursor);
	if (!at)
		return NULL;
	cursor->key = at->key;
	cursor->seq = at->seq;
	return to_interest(at);
}

/**
 * ipcx_interest_some - anybody
 * @index: the index
 *
 * Return: an interest, or NULL if there is none.
 */
struct ipcx_interest *ipcx_interest_some(const struct ipcx_interests *index)
{
	struct ipcx_aged *at = to_aged(rb_first(&index->blocks)) ?:
			       to_aged(rb_first(&index->except));

	return at ? to_interest(at) : NULL;
}
