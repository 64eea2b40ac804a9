//! Columns that are SQL text which never changes: what other tables hold of a row, in the statement that reads the row, so
//! that both are of one moment. Diesel prepares a statement with a literal of its own anew each time; one with these is
//! prepared once a connection.

/// `column!(Name: Type, "SQL")` makes the unit struct `Name`, an expression of that SQL type.
macro_rules! column {
    ($(#[$doc:meta])* $name:ident: $type:ty, $sql:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, diesel::query_builder::QueryId)]
        pub struct $name;

        impl diesel::expression::Expression for $name {
            type SqlType = $type;
        }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                out.push_sql($sql);
                Ok(())
            }
        }

        impl<T> diesel::AppearsOnTable<T> for $name {}
        impl<T> diesel::SelectableExpression<T> for $name {}

        impl<G> diesel::expression::ValidGrouping<G> for $name {
            type IsAggregate = diesel::expression::is_aggregate::Never;
        }
    };
}
pub(super) use column;
