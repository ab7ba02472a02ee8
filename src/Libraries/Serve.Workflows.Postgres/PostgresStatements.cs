using System.Data.Common;
using Npgsql;

namespace Serve.Workflows.Postgres;

/// <summary>Statements of one connection. Not thread-safe.</summary>
internal sealed class PostgresStatements(NpgsqlConnection connection, bool prepares = false) : IDisposable
{
    private readonly Dictionary<string, NpgsqlCommand> _commands = [];

    public NpgsqlConnection Connection => connection;

    /// <summary>Runs a statement with the parameters $1, $2, … and returns the number of changed rows.</summary>
    public int Run(string sql, params ReadOnlySpan<object?> values) => Bind(sql, values).ExecuteNonQuery();

    /// <summary>Reads all rows of a query.</summary>
    public List<T> Query<T>(string sql, Func<DbDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        using var reader = Bind(sql, values).ExecuteReader();
        List<T> rows = [];
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    public void Dispose()
    {
        foreach (var command in _commands.Values)
            command.Dispose();
        connection.Dispose();
    }

    private NpgsqlCommand Bind(string sql, ReadOnlySpan<object?> values)
    {
        if (!_commands.TryGetValue(sql, out var command))
        {
#pragma warning disable CA2100 // All statements are constants of the store.
            command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
            foreach (var value in values)
                command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = value is long ? NpgsqlTypes.NpgsqlDbType.Bigint : value is int ? NpgsqlTypes.NpgsqlDbType.Integer : NpgsqlTypes.NpgsqlDbType.Text });
            _commands.Add(sql, command);
            if (prepares)
                command.Prepare();
        }

        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        return command;
    }
}
