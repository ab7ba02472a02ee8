using System.Data.Common;

namespace Serve.Workflows.Storage;

/// <summary>Statements of one connection, each created once. Owns the connection. Not thread-safe.</summary>
/// <param name="connection">The open connection.</param>
/// <param name="describe">Sets the properties of a parameter that the provider requires: receives it, its number from 0, and its first value.</param>
/// <param name="prepares">Whether the database prepares each statement when it is created.</param>
public sealed class StoreStatements(DbConnection connection, Action<DbParameter, int, object?> describe, bool prepares = false) : IDisposable
{
    private readonly Dictionary<string, DbCommand> _commands = [];

    /// <summary>Gets the connection.</summary>
    public DbConnection Connection => connection;

    /// <summary>Runs a statement.</summary>
    /// <param name="sql">A constant of the store.</param>
    /// <param name="values">Values of its parameters in order.</param>
    /// <returns>The number of changed rows.</returns>
    public int Run(string sql, params ReadOnlySpan<object?> values) => Bind(sql, values).ExecuteNonQuery();

    /// <summary>Reads all rows of a query.</summary>
    /// <typeparam name="T">The result of a row.</typeparam>
    /// <param name="sql">A constant of the store.</param>
    /// <param name="read">Reads a row.</param>
    /// <param name="values">Values of its parameters in order.</param>
    /// <returns>The rows in order.</returns>
    public IReadOnlyList<T> Query<T>(string sql, Func<DbDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        ArgumentNullException.ThrowIfNull(read);
        using var reader = Bind(sql, values).ExecuteReader();
        List<T> rows = [];
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>Reads the first column of the first row.</summary>
    /// <param name="sql">A constant of the store.</param>
    /// <param name="values">Values of its parameters in order.</param>
    /// <returns>The value; null if it is null or there is no row.</returns>
    public object? Scalar(string sql, params ReadOnlySpan<object?> values) => Bind(sql, values).ExecuteScalar() is { } value and not DBNull ? value : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var command in _commands.Values)
            command.Dispose();
        connection.Dispose();
    }

    private DbCommand Bind(string sql, ReadOnlySpan<object?> values)
    {
        if (!_commands.TryGetValue(sql, out var command))
        {
            command = connection.CreateCommand();
#pragma warning disable CA2100 // All statements are constants of the store.
            command.CommandText = sql;
#pragma warning restore CA2100
            for (var i = 0; i < values.Length; i++)
            {
                var parameter = command.CreateParameter();
                describe(parameter, i, values[i]);
                command.Parameters.Add(parameter);
            }

            _commands.Add(sql, command);
            if (prepares)
                command.Prepare();
        }

        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        return command;
    }
}

/// <summary>Reads the rows of a store's tables.</summary>
public static class StoreRowReader
{
    /// <summary>Columns of a workflow, in the order of <see cref="ToRecord"/>.</summary>
    public const string RecordColumns = "id, name, version, run, status, input, output, error, parent, parent_seq, depth, created, ended, metadata";

    /// <summary>Columns of an entry of a history, in the order of <see cref="ToHistoryRow"/>.</summary>
    public const string HistoryColumns = "wf, pos, run, kind, seq, name, payload, started, at, attempts, metadata";

    /// <summary>Reads a workflow; a column after <see cref="RecordColumns"/> is its owner.</summary>
    /// <param name="row">The row.</param>
    public static WorkflowRecord ToRecord(DbDataReader row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return new()
        {
            Id = row.GetString(0),
            Name = row.GetString(1),
            Version = row.GetInt32(2),
            Run = row.GetInt32(3),
            Status = (WorkflowStatus)row.GetInt32(4),
            Input = row.GetString(5),
            Output = TextOf(row, 6),
            Error = TextOf(row, 7) is { } error ? WorkflowError.Parse(error) : null,
            Parent = TextOf(row, 8),
            ParentSequence = row.GetInt32(9),
            Depth = row.GetInt32(10),
            Created = FromTicks(row.GetInt64(11)),
            Ended = row.IsDBNull(12) ? null : FromTicks(row.GetInt64(12)),
            Metadata = row.GetString(13),
            Owner = row.FieldCount > 14 ? row.GetString(14) : null,
        };
    }

    /// <summary>Reads an entry of a history.</summary>
    /// <param name="row">The row.</param>
    public static HistoryRow ToHistoryRow(DbDataReader row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return new()
        {
            WorkflowId = row.GetString(0),
            Position = row.GetInt64(1),
            Run = row.GetInt32(2),
            Kind = (HistoryKind)row.GetInt32(3),
            Sequence = row.GetInt32(4),
            Name = row.GetString(5),
            Payload = TextOf(row, 6),
            Started = FromTicks(row.GetInt64(7)),
            At = FromTicks(row.GetInt64(8)),
            Attempts = row.GetInt32(9),
            Metadata = TextOf(row, 10),
        };
    }

    /// <summary>Reads a timer: workflow, run, number of the command, whether it is a retry, name, time and attempts.</summary>
    /// <param name="row">The row.</param>
    public static WorkflowTimer ToTimer(DbDataReader row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return new(row.GetString(0), row.GetInt32(1), row.GetInt32(2), row.GetInt32(3) != 0, row.GetString(4), FromTicks(row.GetInt64(5)), row.GetInt32(6));
    }

    /// <summary>Reads a column of text that may be null.</summary>
    /// <param name="row">The row.</param>
    /// <param name="column">The column's number.</param>
    public static string? TextOf(DbDataReader row, int column)
    {
        ArgumentNullException.ThrowIfNull(row);
        return row.IsDBNull(column) ? null : row.GetString(column);
    }

    /// <summary>Reads a time.</summary>
    /// <param name="ticks">Its UTC ticks.</param>
    public static DateTimeOffset FromTicks(long ticks) => new(ticks, TimeSpan.Zero);
}
