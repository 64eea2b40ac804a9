//! A page of a list that is read forwards and backwards by the keys of its first and last rows.

/// A total beyond this is not counted to its end.
pub const MOST_COUNTED: i64 = 1_000;

/// The row that a page starts after, or, going back, ends before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<Id> {
    pub key: Key,
    pub id: Id,
    pub back: bool,
}

/// The value of the sorted column there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Text(String),
    Pair(String, String),
    Number(i32),
    /// Microseconds since 1970.
    Time(i64),
    /// After every time.
    Never,
}

/// How many rows there are on all pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// All that the table has.
    All,
    Exactly(i64),
    /// More than [`MOST_COUNTED`].
    More,
    Unknown,
}

impl Total {
    pub(super) fn of(counted: i64) -> Self {
        if counted > MOST_COUNTED { Self::More } else { Self::Exactly(counted) }
    }
}

/// One page in the order of the list, and whether there are rows before and after it.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub before: bool,
    pub after: bool,
}

impl<T> Page<T> {
    /// Of what was read: `size` rows and one more, where there is one. `from` is `None` at the start of the list, else
    /// whether it was read backwards.
    pub(super) fn cut(mut rows: Vec<T>, size: i64, from: Option<bool>) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let back = from == Some(true);
        if back {
            rows.reverse();
        }
        let (before, after) = if back { (more, true) } else { (from.is_some(), more) };
        Self { rows, before, after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_whether_there_are_rows_on_either_side() {
        let cut = |rows: &[u8], from| {
            let page = Page::cut(rows.to_vec(), 2, from);
            (page.rows, page.before, page.after)
        };
        assert_eq!(cut(&[1, 2, 3], None), (vec![1, 2], false, true));
        assert_eq!(cut(&[4, 5], Some(false)), (vec![4, 5], true, false));
        assert_eq!(cut(&[3, 2, 1], Some(true)), (vec![2, 3], true, true));
        assert_eq!(cut(&[2, 1], Some(true)), (vec![1, 2], false, true));
    }
}
