using Microsoft.Data.Sqlite;

namespace Serve.Controller.Tests;

public sealed class SqliteClusterStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("serve-test-").FullName;

    private string Database => Path.Combine(_folder, "serve.db");

    public void Dispose()
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Open_Damaged_SaysSoAndLeavesTheFileAlone()
    {
        File.WriteAllText(Database, new string('x', 8192));
        var before = File.ReadAllBytes(Database);
        var error = Assert.Throws<StateStoreException>(() => SqliteClusterStore.Open(Database));
        Assert.Contains("damaged", error.Message);
        Assert.Contains(Database, error.Message);
        Assert.Equal(before, File.ReadAllBytes(Database));
    }

    [Fact]
    public void Open_PagesOverwritten_SaysDamagedAndChangesNothing()
    {
        using (SqliteClusterStore.Open(Database))
        {
        }

        var bytes = File.ReadAllBytes(Database);
        Array.Fill(bytes, (byte)0xAB, 4096, 4096);
        File.WriteAllBytes(Database, bytes);
        var error = Assert.Throws<StateStoreException>(() => SqliteClusterStore.Open(Database));
        Assert.Contains("damaged", error.Message);
        Assert.Equal(bytes, File.ReadAllBytes(Database));
    }

    [Fact]
    public void Open_NewerSchema_IsRefused()
    {
        using (SqliteClusterStore.Open(Database))
        {
        }

        Execute("PRAGMA user_version = 99");
        Assert.Contains("newer version", Assert.Throws<StateStoreException>(() => SqliteClusterStore.Open(Database)).Message);
    }

    [Fact]
    public void Open_ForeignDatabase_IsRefused()
    {
        Execute("CREATE TABLE theirs (x)");
        Assert.Contains("not a database of this program", Assert.Throws<StateStoreException>(() => SqliteClusterStore.Open(Database)).Message);
    }

    [Fact]
    public void Save_DatabaseFull_SaysSoAndKeepsWhatWasThere()
    {
        using var store = SqliteClusterStore.Open(Database);
        store.Save([Application("kept", 10)], []);
        var connection = (SqliteConnection)typeof(SqliteClusterStore).GetField("_connection", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(store)!;
        using (var command = connection.CreateCommand())
        {
            command.CommandText = "PRAGMA max_page_count = 8";
            command.ExecuteNonQuery();
        }

        Assert.Contains("disk is full", Assert.Throws<StateStoreException>(() => store.Save([Application("big", 1_000_000)], ["kept"])).Message);
        Assert.Equal("kept", Assert.Single(store.Load()).Name);
    }

    [Fact]
    public void Save_ThenOpenAgain_LoadsTheSameAndCountsTheLife()
    {
        using (var store = SqliteClusterStore.Open(Database))
        {
            store.Save([Application("a", 3), Application("b", 3)], []);
            store.Save([], ["b"]);
            Assert.Equal(1, store.Epoch);
        }

        using var again = SqliteClusterStore.Open(Database);
        Assert.Equal(2, again.Epoch);
        var loaded = Assert.Single(again.Load());
        Assert.Equal(("a", "Counter@1"), (loaded.Name, loaded.Requested.Package.Hash));
        Assert.True(Control.ApplicationRevisionBuilder.AreSame(loaded.Requested, Application("a", 3).Requested));
    }

    [Fact]
    public void OpenDirectory_New_IsItsOwnersAlone()
    {
        var root = Path.Combine(_folder, "state");
        using var state = NodeStateDirectory.Open(root);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(root));
        Assert.True(Directory.Exists(state.Run));
    }

    [Fact]
    public void OpenDirectory_HeldByAnother_SaysWhich()
    {
        using var state = NodeStateDirectory.Open(_folder);
        var error = Assert.Throws<StateStoreException>(() => NodeStateDirectory.Open(_folder));
        Assert.Contains($"process {Environment.ProcessId}", error.Message);
    }

    [Fact]
    public void OpenDirectory_AfterCleanEnd_OpensAgainAndRunIsGone()
    {
        string run;
        using (var state = NodeStateDirectory.Open(_folder))
            run = state.Run;
        Assert.False(Directory.Exists(run));
        using var again = NodeStateDirectory.Open(_folder);
    }

    [Fact]
    public void OpenDirectory_Unwritable_SaysSo()
    {
        // Root may write anywhere, so the unwritable place is one that nobody can make.
        var error = Assert.Throws<StateStoreException>(() => NodeStateDirectory.Open("/proc/serve-state"));
        Assert.Contains("cannot be written", error.Message);
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static Control.DesiredApplication Application(string name, int size) => new()
    {
        Name = name,
        Requested = Control.ApplicationRevisionBuilder.Build(
            ControllerTestFixture.Config(name, "Counter@1", settings: options => options with { UserConfig = new() { ["text"] = new string('x', size) } }),
            FakeApplicationSource.Package("Counter@1", "Counter"), IsolationMode.None, null),
    };
}
