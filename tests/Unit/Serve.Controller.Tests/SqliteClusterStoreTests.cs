using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using Serve.Control.Desired;
using Serve.Controller.Store;

namespace Serve.Controller.Tests;

public sealed class SqliteClusterStoreTests : IDisposable
{
    /// <summary>A document of schema 1: deployed with num_replicas 1, scaled to 3, then a revision with num_replicas 2 that failed.</summary>
    private const string Schema1Document = """
        {"name":"Counter","target":{"number":3,"change":"deploy","config":{"name":"Counter","import_path":"/home/user/Counter.cs","deployments":[{"name":"Counter","num_replicas":2,"actor_options":{"num_gpus":1}}]},"package":{"hash":"c594d0da7161d8397965b1ad59ecd4b9085812f04b4a8d60fce0a78ddfcac0ca","directory":"/home/user/state/packages/c594d0da7161d8397965b1ad59ecd4b9085812f04b4a8d60fce0a78ddfcac0ca","assembly_file":"Counter.dll","deployments":[{"options":{"name":"Counter"},"type_name":"Counter","dependencies":[]}],"ingress":"Counter"},"isolation":"application","route_prefix":"/Counter","deployments":{"Counter":{"spec":{"name":"Counter","num_replicas":2,"max_ongoing_requests":100,"max_queued_requests":1000,"graceful_shutdown_wait_loop_s":2,"graceful_shutdown_timeout_s":20,"health_check_period_s":10,"health_check_timeout_s":30,"max_constructor_retry_count":20,"concurrency":"turn_based","resources":{"num_cpus":0,"num_gpus":1,"memory":0,"resources":{}}},"type_name":"Counter","asked_replicas":2,"version":"163bb5ee43cc1aa1","settings":"ceaeb1c4d9bf1739"}}},"last_good":{"number":2,"change":"scale_up","config":{"name":"Counter","import_path":"/home/user/Counter.cs","deployments":[]},"package":{"hash":"c594d0da7161d8397965b1ad59ecd4b9085812f04b4a8d60fce0a78ddfcac0ca","directory":"/home/user/state/packages/c594d0da7161d8397965b1ad59ecd4b9085812f04b4a8d60fce0a78ddfcac0ca","assembly_file":"Counter.dll","deployments":[{"options":{"name":"Counter"},"type_name":"Counter","dependencies":[]}],"ingress":"Counter"},"isolation":"application","route_prefix":"/Counter","deployments":{"Counter":{"spec":{"name":"Counter","num_replicas":3,"max_ongoing_requests":100,"max_queued_requests":1000,"graceful_shutdown_wait_loop_s":2,"graceful_shutdown_timeout_s":20,"health_check_period_s":10,"health_check_timeout_s":30,"max_constructor_retry_count":20,"concurrency":"turn_based","resources":{"num_cpus":0,"num_gpus":0,"memory":0,"resources":{}}},"type_name":"Counter","asked_replicas":1,"version":"e588a8ca56066fcb","settings":"ceaeb1c4d9bf1739"}}},"is_deleting":false,"deployed_at":"2026-11-30T20:27:16.6950152+00:00"}
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("serve-test-").FullName;

    private readonly FakeTimeProvider _time = new();

    private string Database => Path.Combine(_folder, "serve.db");

    public void Dispose()
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Open_DamagedFile_ThrowsAndLeavesItUnchanged()
    {
        File.WriteAllText(Database, new string('x', 8192));
        var before = File.ReadAllBytes(Database);
        var error = Assert.Throws<StateStoreException>(() => SqliteClusterStore.Open(Database, _time));
        Assert.Contains("damaged", error.Message);
        Assert.DoesNotContain("..", error.Message);
        Assert.Contains(Database, error.Message);
        Assert.Equal(before, File.ReadAllBytes(Database));
    }

    [Fact]
    public void Open_OverwrittenPages_ThrowsAndLeavesThemUnchanged()
    {
        using (SqliteClusterStore.Open(Database, _time))
        {
        }

        var bytes = File.ReadAllBytes(Database);
        Array.Fill(bytes, (byte)0xAB, 4096, 4096);
        File.WriteAllBytes(Database, bytes);
        var error = Assert.Throws<StateStoreException>(() => SqliteClusterStore.Open(Database, _time));
        Assert.Contains("damaged", error.Message);
        Assert.Equal(bytes, File.ReadAllBytes(Database));
    }

    [Fact]
    public void Open_NewerSchema_Throws()
    {
        using (SqliteClusterStore.Open(Database, _time))
        {
        }

        Execute("PRAGMA user_version = 99");
        Assert.Contains("newer version", Assert.Throws<StateStoreException>(() => SqliteClusterStore.Open(Database, _time)).Message);
    }

    [Fact]
    public void Open_ForeignDatabase_Throws()
    {
        Execute("CREATE TABLE theirs (x)");
        Assert.Contains("not a database of this program", Assert.Throws<StateStoreException>(() => SqliteClusterStore.Open(Database, _time)).Message);
    }

    [Fact]
    public async Task SaveAsync_DatabaseFull_ThrowsAndKeepsTheStoredState()
    {
        using var store = SqliteClusterStore.Open(Database, _time);
        var epoch = await AcquireAsync(store);
        await store.SaveAsync(epoch, [Application("kept", 10)], [], default);
        var connection = (SqliteConnection)typeof(SqliteClusterStore).GetField("_connection", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(store)!;
        using (var command = connection.CreateCommand())
        {
            command.CommandText = "PRAGMA max_page_count = 16";
            command.ExecuteNonQuery();
        }

        var error = await Assert.ThrowsAsync<StateStoreException>(() => store.SaveAsync(epoch, [Application("big", 1_000_000)], ["kept"], default));
        Assert.Contains("disk is full", error.Message);
        Assert.Equal("kept", Assert.Single(await store.LoadAsync(default)).Name);
    }

    [Fact]
    public async Task SaveAsync_ThenOpenAgain_LoadsTheSame()
    {
        using (var store = SqliteClusterStore.Open(Database, _time))
        {
            var epoch = await AcquireAsync(store);
            await store.SaveAsync(epoch, [Application("a", 3), Application("b", 3).WithTarget("Counter", new(5))], [], default);
            await store.SaveAsync(epoch, [], ["a"], default);
        }

        using var again = SqliteClusterStore.Open(Database, _time);
        var loaded = Assert.Single(await again.LoadAsync(default));
        Assert.Equal(("b", "Counter@1", new ReplicaTarget(5)), (loaded.Name, loaded.Requested.Package.Hash, loaded.TargetOf(loaded.Requested.Deployments["Counter"])));
        Assert.True(ApplicationRevisionBuilder.AreSame(loaded.Requested, Application("b", 3).Requested));
    }

    [Fact]
    public async Task SaveAsync_StaleEpoch_IsRefusedAndNothingIsStored()
    {
        using var store = SqliteClusterStore.Open(Database, _time);
        var stale = await AcquireAsync(store);
        var newest = await AcquireAsync(store);
        Assert.True(newest > stale);
        await Assert.ThrowsAsync<StaleEpochException>(() => store.SaveAsync(stale, [Application("a", 3)], [], default));
        Assert.Empty(await store.LoadAsync(default));
        await store.SaveAsync(newest, [Application("a", 3)], [], default);
        Assert.Single(await store.LoadAsync(default));
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_HeldByAnother_SucceedsAfterItExpired()
    {
        using var store = SqliteClusterStore.Open(Database, _time);
        var duration = TimeSpan.FromSeconds(2);
        var lease = await store.TryAcquireLeaseAsync(new("n1"), duration, default);
        Assert.NotNull(lease);
        Assert.Null(await store.TryAcquireLeaseAsync(new("n2"), duration, default));

        _time.Advance(TimeSpan.FromSeconds(1.5));
        Assert.True(await store.TryRenewLeaseAsync(lease, duration, default));
        _time.Advance(TimeSpan.FromSeconds(1.5));
        Assert.Null(await store.TryAcquireLeaseAsync(new("n2"), duration, default));

        _time.Advance(TimeSpan.FromSeconds(1));
        var next = await store.TryAcquireLeaseAsync(new("n2"), duration, default);
        Assert.Equal(lease.Epoch + 1, next!.Epoch);
        Assert.False(await store.TryRenewLeaseAsync(lease, duration, default));
        await store.ReleaseLeaseAsync(lease, default);
        Assert.Null(await store.TryAcquireLeaseAsync(new("n1"), duration, default));
        await store.ReleaseLeaseAsync(next, default);
        Assert.NotNull(await store.TryAcquireLeaseAsync(new("n1"), duration, default));
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_AfterTheProcessWasKilled_RaisesTheEpoch()
    {
        long epoch;
        using (var store = SqliteClusterStore.Open(Database, _time))
            epoch = (await store.TryAcquireLeaseAsync(new("n1"), Timeout.InfiniteTimeSpan, default))!.Epoch;
        using var again = SqliteClusterStore.Open(Database, _time);
        Assert.Equal(epoch + 1, (await again.TryAcquireLeaseAsync(new("n2"), Timeout.InfiniteTimeSpan, default))!.Epoch);
    }

    [Fact]
    public async Task TryWriteMemberAsync_StaleRowOrTable_IsRefused()
    {
        using var store = SqliteClusterStore.Open(Database, _time);
        Assert.True(await store.TryWriteMemberAsync(new(new("n1"), "joining", 0), 0, default));
        Assert.False(await store.TryWriteMemberAsync(new(new("n2"), "joining", 0), 0, default));
        Assert.False(await store.TryWriteMemberAsync(new(new("n1"), "again", 0), 1, default));
        Assert.True(await store.TryWriteMemberAsync(new(new("n1"), "ready", 1), 1, default));
        Assert.False(await store.TryWriteMemberAsync(new(new("n1"), "stale", 1), 2, default));

        var table = await store.ReadMembershipAsync(default);
        Assert.Equal(2, table.Version);
        Assert.Equal(new MembershipRow(new("n1"), "ready", 2), Assert.Single(table.Rows));
        Assert.True(await store.TryWriteMemberAsync(new(new("n1"), null, 2), 2, default));
        Assert.Empty((await store.ReadMembershipAsync(default)).Rows);
    }

    [Fact]
    public async Task Open_Schema1_UpgradesApplicationsTargetsAndEpoch()
    {
        Execute("CREATE TABLE applications (name TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT");
        Execute("CREATE TABLE life (epoch INTEGER NOT NULL) STRICT");
        Execute("INSERT INTO life (epoch) VALUES (7)");
        Execute($"INSERT INTO applications VALUES ('Counter', '{Schema1Document}')");
        Execute("PRAGMA application_id = 1400010309");
        Execute("PRAGMA user_version = 1");

        using (var store = SqliteClusterStore.Open(Database, _time))
        {
            var application = Assert.Single(await store.LoadAsync(default));
            var (requested, lastGood) = (application.Requested.Deployments["Counter"], application.LastGood!.Deployments["Counter"]);
            Assert.Equal((3, 2, 3), (application.Requested.Number, application.LastGood.Number, application.Generation));
            Assert.Equal((2, 2), (requested.Spec.NumReplicas, application.TargetOf(requested).Replicas));
            Assert.Equal((1, 3), (lastGood.Spec.NumReplicas, application.LastGoodTargetOf(lastGood).Replicas));
            Assert.Equal("e588a8ca56066fcb", lastGood.Version);
            Assert.Equal(8, await AcquireAsync(store));
        }

        // The upgrade is done once, and no path of this machine is left.
        using var again = SqliteClusterStore.Open(Database, _time);
        Assert.Equal(
            "package:c594d0da7161d8397965b1ad59ecd4b9085812f04b4a8d60fce0a78ddfcac0ca", Assert.Single(await again.LoadAsync(default)).LastGood!.Config.ImportPath);
        Assert.DoesNotContain("/home/user", Read("SELECT document FROM applications"), StringComparison.Ordinal);
    }

    [Fact]
    public void OpenDirectory_New_IsAccessibleToItsOwnerOnly()
    {
        var root = Path.Combine(_folder, "state");
        using var state = NodeStateDirectory.Open(root);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(root));
        Assert.True(Directory.Exists(state.Run));
    }

    [Fact]
    public void OpenDirectory_NodeName_IsKept()
    {
        using (var state = NodeStateDirectory.Open(_folder, "alpha"))
            Assert.Equal(new NodeId("alpha"), state.NodeId);
        using (var state = NodeStateDirectory.Open(_folder))
            Assert.Equal(new NodeId("alpha"), state.NodeId);
        using (NodeStateDirectory.Open(_folder, "alpha"))
        {
        }

        var error = Assert.Throws<StateStoreException>(() => NodeStateDirectory.Open(_folder, "beta"));
        Assert.Contains("belongs to node 'alpha', but --node-name is 'beta'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenDirectory_InUse_ThrowsWithTheProcess()
    {
        using var state = NodeStateDirectory.Open(_folder);
        var error = Assert.Throws<StateStoreException>(() => NodeStateDirectory.Open(_folder));
        Assert.Contains($"process {Environment.ProcessId}", error.Message);
    }

    [Fact]
    public void OpenDirectory_AfterDispose_OpensAgainWithTheSameNodeId()
    {
        string run;
        NodeId node;
        using (var state = NodeStateDirectory.Open(_folder))
            (run, node) = (state.Run, state.NodeId);
        Assert.False(Directory.Exists(run));
        using var again = NodeStateDirectory.Open(_folder);
        Assert.Equal(node, again.NodeId);
    }

    [Fact]
    public void OpenDirectory_NotWritable_Throws()
    {
        // Root may write anywhere else.
        var error = Assert.Throws<StateStoreException>(() => NodeStateDirectory.Open("/proc/serve-state"));
        Assert.Contains("cannot be written", error.Message);
    }

    private static async Task<long> AcquireAsync(SqliteClusterStore store) =>
        (await store.TryAcquireLeaseAsync(new("n1"), Timeout.InfiniteTimeSpan, default))!.Epoch;

    private void Execute(string sql) => Read(sql);

    private string Read(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() as string ?? "";
    }

    private static DesiredApplication Application(string name, int size) => new()
    {
        Name = name,
        Requested = ApplicationRevisionBuilder.Build(
            ControllerTestFixture.Config(name, "Counter@1", settings: options => options with { UserConfig = new() { ["text"] = new string('x', size) } }),
            FakeApplicationSource.Package("Counter@1", "Counter"), IsolationMode.None, 1),
    };
}
