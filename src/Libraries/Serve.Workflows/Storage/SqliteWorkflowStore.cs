using System.Globalization;
using Microsoft.Data.Sqlite;
using static Serve.Workflows.Storage.StoreRowReader;

namespace Serve.Workflows.Storage;

/// <summary>Workflows in one SQLite file: write-ahead log, synchronized at each commit. One host at a time.</summary>
/// <remarks>Concurrency: the writing connection belongs to the committing thread; readers share a second one under a lock and see committed data only.</remarks>
public sealed class SqliteWorkflowStore : WorkflowStore
{
    private const int SchemaVersion = 1;

    private const string Schema = """
        create table workflow(id text primary key, name text not null, version int not null, run int not null, status int not null, input text not null, output text, error text,
            parent text, parent_seq int not null, depth int not null, created int not null, ended int, metadata text not null, parked int not null default 0) without rowid;
        create index workflow_status on workflow(status, id);
        create index workflow_ended on workflow(ended) where ended is not null;
        create table history(wf text not null, pos int not null, run int not null, kind int not null, seq int not null, name text not null, payload text, started int not null, at int not null,
            attempts int not null, metadata text, primary key(wf, pos)) without rowid;
        create table timer(wf text not null, seq int not null, run int not null, retry int not null, name text not null, due int not null, attempt int not null,
            primary key(wf, seq)) without rowid;
        create index timer_due on timer(due);
        create table event_key(wf text not null, key text not null, primary key(wf, key)) without rowid;
        create table blob(hash text primary key, refs int not null) without rowid;
        create table meta(key text primary key, value int not null) without rowid;
        insert into meta values('clock', 0);
        """;

    private readonly string _path;
    private readonly string _synchronous;
    private readonly Lock _readLock = new();
    private readonly List<string> _unused = [];
    private StoreFileLock? _fileLock;
    private StoreStatements? _writer;
    private StoreStatements? _reader;

    /// <summary>Creates a store; <see cref="Open"/> opens it.</summary>
    /// <param name="path">The database file; created if it does not exist.</param>
    /// <param name="isSynchronous">Whether each commit waits for the disk. Without it, a power failure loses the last commits; the death of the process does not. Default true.</param>
    public SqliteWorkflowStore(string path, bool isSynchronous = true)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        _path = Path.GetFullPath(path);
        _synchronous = isSynchronous ? "full" : "off";
    }

    /// <inheritdoc/>
    public override string Name => _path;

    /// <inheritdoc/>
    public override string? PayloadFolder => _path + ".payloads";

    /// <inheritdoc/>
    public override DateTimeOffset LastTime => Read(reader => FromTicks((long)reader.Scalar("select value from meta where key='clock'")!));

    private StoreStatements Writer => _writer ?? throw new WorkflowStorageException($"Workflow database '{_path}' is not open.");

    /// <inheritdoc/>
    public override void Open()
    {
        if (Path.GetDirectoryName(_path) is { Length: > 0 } folder)
        {
            Directory.CreateDirectory(folder);
            StoreFileLock.CheckFileSystem(_path, new DriveInfo(folder).DriveFormat);
        }

        _fileLock = StoreFileLock.Acquire(_path);
        try
        {
            _writer = Connect();
            _writer.Scalar("pragma journal_mode=wal");
            _writer.Run($"pragma synchronous={_synchronous}");
            CheckSchema(_writer);
            _reader = Connect();
        }
        catch (SqliteException failure)
        {
            Close();
            throw OpenFailure(failure);
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Commit(IReadOnlyList<StoreWrite> writes, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(writes);
        if (!File.Exists(_path))
            throw new WorkflowStorageException($"Workflow database '{_path}' was deleted or moved while it was in use. Restore it and restart the host.");
        var unused = _unused.Count;
        Writer.Run("begin immediate");
        try
        {
            foreach (var write in writes)
                Apply(write);
            Writer.Run("update meta set value=max(value, $0) where key='clock'", now.UtcTicks);
            Writer.Run("commit");
        }
        catch
        {
            _unused.RemoveRange(unused, _unused.Count - unused);
            TryRollback();
            throw;
        }
    }

    /// <inheritdoc/>
    public override bool IsTransient(Exception failure) =>
        failure is SqliteException { SqliteErrorCode: 5 or 6 or 8 or 10 or 13 or 14 };

    /// <inheritdoc/>
    public override WorkflowRecord? Find(string workflowId) => Read(reader => Find(reader, workflowId));

    /// <inheritdoc/>
    public override IReadOnlyList<HistoryRow> ReadHistory(string workflowId, long after = 0) => Read(reader => reader.Query(
        $"select {HistoryColumns} from history where wf=$0 and pos>$1 order by pos", ToHistoryRow, workflowId, after));

    /// <inheritdoc/>
    public override IReadOnlyList<WorkflowTimer> ReadTimers(string workflowId) => Read(reader => reader.Query(
        "select wf, run, seq, retry, name, due, attempt from timer where wf=$0 order by seq", ToTimer, workflowId));

    /// <inheritdoc/>
    public override IReadOnlyList<WorkflowTimer> ReadTimersDue(DateTimeOffset before, int limit) => Read(reader => reader.Query(
        "select wf, run, seq, retry, name, due, attempt from timer where due<=$0 order by due limit $1", ToTimer, before.UtcTicks, limit));

    /// <inheritdoc/>
    public override IReadOnlyList<WorkflowRecord> List(WorkflowStatus? status, string after, int limit) => Read(reader => status is { } only
        ? reader.Query($"select {RecordColumns} from workflow where status=$0 and id>$1 order by id limit $2", ToRecord, (int)only, after, limit)
        : reader.Query($"select {RecordColumns} from workflow where id>$0 order by id limit $1", ToRecord, after, limit));

    /// <inheritdoc/>
    public override IReadOnlyList<string> ReadRunnable(string after, int limit) => Read(reader => reader.Query(
        "select id from workflow where status=0 and parked=0 and id>$0 order by id limit $1", row => row.GetString(0), after, limit));

    /// <inheritdoc/>
    public override IReadOnlyList<string> ReadEnded(DateTimeOffset before, int limit) => Read(reader => reader.Query(
        "select id from workflow where ended is not null and ended<$0 order by ended limit $1", row => row.GetString(0), before.UtcTicks, limit));

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> ReadPayloadHashes() => Read(reader => reader.Query("select hash from blob", row => row.GetString(0)));

    /// <inheritdoc/>
    public override IReadOnlyList<string> TakeUnusedPayloads()
    {
        if (_unused.Count == 0)
            return [];
        string[] taken = [.. _unused];
        _unused.Clear();
        return taken;
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    private static WorkflowRecord? Find(StoreStatements statements, string workflowId) =>
        statements.Query($"select {RecordColumns} from workflow where id=$0", ToRecord, workflowId) is [var record] ? record : null;

    private StoreStatements Connect()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _path, Pooling = false, DefaultTimeout = 5 }.ToString());
        connection.Open();
        return new(connection, static (parameter, number, _) => parameter.ParameterName = string.Create(CultureInfo.InvariantCulture, $"${number}"));
    }

    private void CheckSchema(StoreStatements statements)
    {
        var version = (long)statements.Scalar("pragma user_version")!;
        if (version > SchemaVersion)
        {
            throw new WorkflowStorageException(
                $"Workflow database '{_path}' has schema version {version}, but this version of Serve.Workflows supports versions up to {SchemaVersion}. Use the newer version that wrote it.");
        }

        if (version == 0 && (long)statements.Scalar("select count(*) from sqlite_master")! > 0)
            throw new WorkflowStorageException($"'{_path}' is a SQLite database of another program. Choose another file.");
        if (version == 0)
            statements.Run($"begin immediate; {Schema} pragma user_version={SchemaVersion}; commit;");

        // Reads the root pages of all tables, so that a damaged header is found at the start.
        statements.Scalar("select (select count(*) from (select 1 from workflow limit 1)) + (select count(*) from (select 1 from history limit 1)) + (select count(*) from timer)");
    }

    private WorkflowStorageException OpenFailure(SqliteException failure) => new(failure.SqliteErrorCode switch
    {
        11 or 26 => $"Workflow database '{_path}' is damaged or not a SQLite database ({failure.Message}). Restore it from a backup, or choose another file.",
        8 => $"Workflow database '{_path}' is read-only. Make the file and its folder writable.",
        13 => $"The disk of workflow database '{_path}' is full.",
        _ => $"Workflow database '{_path}' cannot be opened: {failure.Message}",
    }, failure);

    private T Read<T>(Func<StoreStatements, T> read)
    {
        lock (_readLock)
        {
            try
            {
                return read(_reader ?? throw new WorkflowStorageException($"Workflow database '{_path}' is not open."));
            }
            catch (SqliteException failure)
            {
                throw OpenFailure(failure);
            }
        }
    }

    private void TryRollback()
    {
        try
        {
            Writer.Run("rollback");
        }
        catch (SqliteException)
        {
            // SQLite has rolled back already, as it does when the disk is full.
        }
    }

    private void Close()
    {
        lock (_readLock)
        {
            _writer?.Dispose();
            _reader?.Dispose();
            _fileLock?.Dispose();
            (_writer, _reader, _fileLock) = (null, null, null);
        }
    }

    private void Apply(StoreWrite write)
    {
        switch (write)
        {
            case AppendWrite append:
                append.Appended = Append(append.Row);
                break;
            case StartWrite start:
                Start(start);
                break;
            case EndWrite end:
                End(end);
                break;
            case DeliverWrite deliver:
                deliver.Outcome = Deliver(deliver);
                break;
            case TimerWrite { Timer: var timer }:
                Writer.Run(
                    "insert into timer(wf, seq, run, retry, name, due, attempt) select id, $1, $2, $3, $4, $5, $6 from workflow where id=$0 and run=$2 and status in (0, 4) "
                    + "on conflict(wf, seq) do update set retry=$3, due=$5, attempt=$6",
                    timer.WorkflowId, timer.Sequence, timer.Run, timer.IsRetry ? 1 : 0, timer.Name, timer.Due.UtcTicks, timer.Attempt);
                break;
            case TimerRemoveWrite remove:
                Writer.Run("delete from timer where wf=$0 and seq=$1", remove.WorkflowId, remove.Sequence);
                break;
            case ParkWrite park:
                Writer.Run(
                    "update workflow set parked=1 where id=$0 and parked=0 and status=0 and (select coalesce(max(pos), 0) from history where wf=$0)<=$1", park.WorkflowId, park.Position);
                break;
            case ContinueWrite next:
                Continue(next);
                break;
            case BlockWrite block:
                Writer.Run(
                    "update workflow set status=$1, error=$2, parked=0 where id=$0 and status in (0, 4)", block.WorkflowId, block.Reason is null ? 0 : 4, block.Reason?.ToJson());
                break;
            case ResumeWrite resume:
                Resume(resume);
                break;
            case DeleteWrite delete:
                Delete(delete);
                break;
        }
    }

    private bool Append(HistoryRow row)
    {
        if (row.Kind == HistoryKind.TimerFired && Writer.Run("delete from timer where wf=$0 and seq=$1 and run=$2", row.WorkflowId, row.Sequence, row.Run) == 0)
            return false;
        var position = Writer.Scalar(
            $"insert into history({HistoryColumns}) "
            + "select id, (select coalesce(max(pos), 0) + 1 from history where wf=$0), run, $2, $3, $4, $5, $6, $7, $8, $9 from workflow where id=$0 and run=$1 and status in (0, 4) returning pos",
            row.WorkflowId, row.Run, (int)row.Kind, row.Sequence, row.Name, row.Payload, row.Started.UtcTicks, row.At.UtcTicks, row.Attempts, row.Metadata);
        if (position is null)
            return false;
        row.Position = (long)position;
        AddReference(row.Payload);
        if (row.Kind is HistoryKind.TimerFired or HistoryKind.ChildCompleted or HistoryKind.ChildFailed)
            Writer.Run("update workflow set parked=0 where id=$0 and parked=1", row.WorkflowId);
        else if (row.Attempts > 1)
            Writer.Run("delete from timer where wf=$0 and seq=$1", row.WorkflowId, row.Sequence);
        return true;
    }

    private void Start(StartWrite start)
    {
        var record = start.Record;
        var inserted = Writer.Run(
            "insert into workflow(id, name, version, run, status, input, parent, parent_seq, depth, created, metadata) values($0, $1, $2, $3, 0, $4, $5, $6, $7, $8, $9) on conflict do nothing",
            record.Id, record.Name, record.Version, record.Run, record.Input, record.Parent, record.ParentSequence, record.Depth, record.Created.UtcTicks, record.Metadata);
        start.Existing = inserted == 1 ? null : Find(Writer, record.Id);
        if (inserted == 1)
            AddReference(record.Input);
    }

    private void End(EndWrite end)
    {
        end.ParentRow = null;
        var changed = Writer.Query(
            "update workflow set status=$2, output=$3, error=$4, ended=$5, parked=0 where id=$0 and run=$1 and status in (0, 4) returning parent, parent_seq, name",
            row => (Parent: TextOf(row, 0), Sequence: row.GetInt32(1), Name: row.GetString(2)),
            end.WorkflowId, end.Run, (int)end.Status, end.Output, end.Error?.ToJson(), end.At.UtcTicks);
        if (changed is not [var workflow])
            return;
        AddReference(end.Output);
        Writer.Run("delete from timer where wf=$0", end.WorkflowId);
        Writer.Run("delete from event_key where wf=$0", end.WorkflowId);
        if (workflow.Parent is { } parent && Find(Writer, parent) is { } record)
            end.ParentRow = end.CreateParentRow(record, workflow.Sequence, workflow.Name);
        if (end.ParentRow is { } row && !Append(row))
            end.ParentRow = null;
    }

    private DeliveryOutcome Deliver(DeliverWrite deliver)
    {
        var row = deliver.Row;
        if (Find(Writer, row.WorkflowId) is not { } record)
            return DeliveryOutcome.NotFound;
        if (record.Status is not (WorkflowStatus.Running or WorkflowStatus.Blocked))
            return DeliveryOutcome.Ended;
        if (deliver.Key is { } key && Writer.Run("insert into event_key(wf, key) values($0, $1) on conflict do nothing", row.WorkflowId, key) == 0)
            return DeliveryOutcome.Duplicate;
        row.Position = (long)Writer.Scalar(
            "insert into history(wf, pos, run, kind, seq, name, payload, started, at, attempts) "
            + "select id, (select coalesce(max(pos), 0) + 1 from history where wf=$0), run, $1, $2, $3, $4, $5, $5, 0 from workflow where id=$0 returning pos",
            row.WorkflowId, (int)row.Kind, row.Sequence, row.Name, row.Payload, row.At.UtcTicks)!;
        AddReference(row.Payload);
        Writer.Run("update workflow set parked=0 where id=$0 and parked=1", row.WorkflowId);
        return DeliveryOutcome.Accepted;
    }

    private void Continue(ContinueWrite next)
    {
        if (Find(Writer, next.WorkflowId) is not { } record || record.Run != next.Run || record.Status is not (WorkflowStatus.Running or WorkflowStatus.Blocked))
            return;
        AddReference(next.Input);
        RemoveReferences([record.Input]);
        foreach (var position in next.Unread)
            Writer.Run("update history set run=run+1 where wf=$0 and pos=$1", next.WorkflowId, position);
        RemoveReferences(Writer.Query(
            "delete from history where wf=$0 and run=$1 and not (kind in (7, 8, 9) and pos>$2) returning payload", row => TextOf(row, 0), next.WorkflowId, next.Run, next.Position));
        Writer.Run("update history set run=$1 where wf=$0", next.WorkflowId, next.Run + 1);
        Writer.Run("delete from timer where wf=$0", next.WorkflowId);
        Writer.Run("update workflow set run=run+1, version=$1, input=$2, parked=0 where id=$0", next.WorkflowId, next.Version, next.Input);
    }

    private void Resume(ResumeWrite resume)
    {
        resume.Before = Find(Writer, resume.WorkflowId);
        if (resume.Before is not { Status: WorkflowStatus.Failed or WorkflowStatus.Canceled or WorkflowStatus.Blocked } record)
            return;
        if (record.Status != WorkflowStatus.Blocked)
        {
            // A failed workflow repeats from its last failed step or child, a canceled one from the cancellation.
            RemoveHistory(
                record.Status == WorkflowStatus.Failed
                    ? "delete from history where wf=$0 and kind not in (7, 8) and pos>=(select max(pos) from history where wf=$0 and kind in (3, 6)) returning payload"
                    : "delete from history where wf=$0 and kind not in (7, 8) and pos>=(select min(pos) from history where wf=$0 and kind=9) returning payload",
                resume.WorkflowId);
        }

        Writer.Run("update workflow set status=0, error=null, ended=null, parked=0 where id=$0", resume.WorkflowId);
    }

    private void Delete(DeleteWrite delete)
    {
        delete.Before = Find(Writer, delete.WorkflowId);
        if (delete.Before is not { Status: not (WorkflowStatus.Running or WorkflowStatus.Blocked) } record)
            return;
        RemoveHistory("delete from history where wf=$0 returning payload", delete.WorkflowId);
        RemoveReferences([record.Input, record.Output]);
        Writer.Run("delete from workflow where id=$0", delete.WorkflowId);
    }

    private void RemoveHistory(string sql, string workflowId) => RemoveReferences(Writer.Query(sql, row => TextOf(row, 0), workflowId));

    private void AddReference(string? payload)
    {
        if (WorkflowPayloads.HashOf(payload) is { } hash)
            Writer.Run("insert into blob(hash, refs) values($0, 1) on conflict(hash) do update set refs=refs+1", hash);
    }

    private void RemoveReferences(IEnumerable<string?> payloads)
    {
        foreach (var payload in payloads)
        {
            if (WorkflowPayloads.HashOf(payload) is not { } hash)
                continue;
            Writer.Run("update blob set refs=refs-1 where hash=$0", hash);
            if (Writer.Run("delete from blob where hash=$0 and refs<=0", hash) == 1)
                _unused.Add(hash);
        }
    }
}
