using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Serve.Controller.Logs;

namespace Serve.Controller.Tests;

public sealed class NodeLogRetentionTests : IDisposable
{
    private static readonly HashSet<string> Applications = ["app"];
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly string _root = Directory.CreateTempSubdirectory("serve-logs-test-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Prune_DeletedApplication_GoesAfterTheRetention()
    {
        var (kept, gone) = (Write("app/Counter/r1/replica.log", 10), Write("gone/Counter/r1/replica.log", 10));
        var retention = new NodeLogRetention(_root, 1000, TimeSpan.FromDays(1), _time, NullLogger.Instance);

        retention.Prune(Applications);
        Assert.True(File.Exists(gone));

        _time.Advance(TimeSpan.FromDays(2));
        retention.Prune(Applications);
        Assert.False(Directory.Exists(Path.Combine(_root, "gone")));
        Assert.True(File.Exists(kept));
    }

    [Fact]
    public void Prune_AboveTheTotalSize_DeletesTheOldestThatNobodyWrites()
    {
        var oldest = Write("app/Counter/r1/replica.log", 60, daysOld: 3);
        var written = Write("app/Counter/r2/replica.log", 60, daysOld: 2);
        var worker = Write("workers/w1.log", 60, daysOld: 1);
        var newest = Write("app/Counter/r3/replica.log", 60);
        using var writer = new FileStream(written, FileMode.Append, FileAccess.Write, FileShare.Read);

        new NodeLogRetention(_root, 130, TimeSpan.FromDays(1), _time, NullLogger.Instance).Prune(Applications);

        Assert.Equal((false, true, false, true), (File.Exists(oldest), File.Exists(written), File.Exists(worker), File.Exists(newest)));
        Assert.False(Directory.Exists(Path.GetDirectoryName(oldest)));
    }

    private string Write(string name, int length, int daysOld = 0)
    {
        var path = Path.Combine(_root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, new string('x', length));
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-daysOld));
        return path;
    }
}
