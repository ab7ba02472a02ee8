using System.Security.Cryptography;
using Serve.Admin;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>An unusable state directory is reported in one line, and no file in it is overwritten.</summary>
[Collection(FaultTestCollection.Name)]
public sealed class UnusableStateDirectoryTests(PatientPackageFixture package)
{
    [Fact]
    public async Task Start_LockedByAnotherNode_NamesItsProcess()
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(package, replicas: 1);

        var line = await RefusedAsync(node.Scratch, node.Scratch.In("state"));

        Assert.Contains($"in use by another node (process {node.Process.Id})", line, StringComparison.Ordinal);
        Assert.Equal("one", await node.Gateway.GetStringAsync("/patient"));
    }

    [RequiresRootFact]
    public async Task Start_UnwritableDirectory_ReportsError()
    {
        using var scratch = new ScratchDirectory();
        // Read-only, even for root.
        await using var mount = await TmpfsMount.CreateAsync(scratch.In("mount"), "ro,size=64k");

        var line = await RefusedAsync(scratch, Path.Combine(mount.Path, "state"));

        Assert.Contains("cannot be written", line, StringComparison.Ordinal);
        Assert.Contains("--state-dir", line, StringComparison.Ordinal);
    }

    [RequiresRootFact]
    public async Task Start_FullDisk_ReportsErrorAndKeepsFiles()
    {
        using var scratch = new ScratchDirectory();
        await using (var first = await TestNodeProcess.StartAsync(scratch: scratch))
            await first.StopAsync();
        await using var mount = await TmpfsMount.CreateAsync(scratch.In("mount"), "size=128k");
        Directory.CreateDirectory(Path.Combine(mount.Path, "state"));
        var database = Path.Combine(mount.Path, "state", "serve.db");
        File.Copy(scratch.In("state/serve.db"), database);
        await FillAsync(Path.Combine(mount.Path, "filler"));
        var before = Hash(database);

        var line = await RefusedAsync(scratch, Path.Combine(mount.Path, "state"));

        Assert.True(line.Contains("disk is full", StringComparison.Ordinal) || line.Contains("No space left", StringComparison.Ordinal), line);
        Assert.Equal(before, Hash(database));
    }

    [Fact]
    public async Task Start_EmptiedDatabase_ReportsErrorAndKeepsPackages()
    {
        using var scratch = new ScratchDirectory();
        await using (var node = await TestNodeProcess.StartAsync(scratch: scratch))
        {
            await node.DeployAsync(package, replicas: 1);
            await node.StopAsync();
        }

        var database = scratch.In("state/serve.db");
        await File.WriteAllBytesAsync(database, []);

        var line = await RefusedAsync(scratch, scratch.In("state"));

        Assert.Contains($"{database} is damaged: it is empty", line, StringComparison.Ordinal);
        Assert.Empty(await File.ReadAllBytesAsync(database));
        Assert.NotEmpty(Directory.EnumerateFileSystemEntries(scratch.In("state/packages")));
    }

    [Theory]
    [InlineData(0, "is damaged")]
    [InlineData(4096, "is damaged")]
    public async Task Start_DamagedDatabase_ReportsErrorAndKeepsFiles(int offset, string expected)
    {
        using var scratch = new ScratchDirectory();
        await using (var node = await TestNodeProcess.StartAsync(scratch: scratch))
        {
            await node.DeployAsync(package, replicas: 1);
            await node.StopAsync();
        }

        var database = scratch.In("state/serve.db");
        await using (var file = File.OpenWrite(database))
        {
            file.Position = offset;
            await file.WriteAsync(RandomNumberGenerator.GetBytes(200));
        }

        var before = Hash(database);
        var line = await RefusedAsync(scratch, scratch.In("state"));

        Assert.Contains(database, line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.Equal(before, Hash(database));
    }

    [RequiresRootFact]
    public async Task Deploy_FullDisk_RejectedAndRunningApplicationsUnaffected()
    {
        using var scratch = new ScratchDirectory();
        await using var mount = await TmpfsMount.CreateAsync(scratch.In("state"), "size=4m");
        await using var node = await TestNodeProcess.StartAsync(scratch: scratch);
        await node.DeployAsync(package, replicas: 1);
        await FillAsync(Path.Combine(mount.Path, "filler"));

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => node.DeployAsync(package, replicas: 1, name: "late"));

        Assert.True(refused.Message.Contains("full", StringComparison.Ordinal) || refused.Message.Contains("No space left", StringComparison.Ordinal), refused.ToString());
        Assert.Equal("one", await node.Gateway.GetStringAsync("/patient"));
        File.Delete(Path.Combine(mount.Path, "filler"));
        await node.DeployAsync(package, replicas: 1, name: "late");
        Assert.Equal(ApplicationStatus.Running, (await node.Admin.GetApplicationAsync("patient")).Status);
        await node.StopAsync();
    }

    private static async Task<string> RefusedAsync(ScratchDirectory scratch, string state)
    {
        var (code, output, errors) = await ServeCliProcess.RunAsync(scratch, "start", "--http-port", "0", "--admin-port", "0", "--state-dir", state);
        Assert.True(code == 1, $"{code}\n{output}\n{errors}");
        Assert.Empty(output);
        return Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static async Task FillAsync(string path)
    {
        var block = new byte[1024];
        try
        {
            // Unbuffered, so that the last partial block is written as well.
            await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            while (true)
                await file.WriteAsync(block);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    private static string Hash(string file) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));
}
