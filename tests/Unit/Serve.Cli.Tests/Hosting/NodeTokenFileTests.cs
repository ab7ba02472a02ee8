using Serve.Cli.Hosting;

namespace Serve.Cli.Tests.Hosting;

public sealed class NodeTokenFileTests : IDisposable
{
    private readonly TemporaryTestFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "token");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ReadOrCreate_NoFile_CreatesOneForTheOwnerAndKeepsIt()
    {
        var token = NodeTokenFile.ReadOrCreate(File);

        Assert.Matches("^[0-9a-f]{64}$", token);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        Assert.Equal(token, NodeTokenFile.ReadOrCreate(File));
        Assert.Equal(token, NodeTokenFile.Read(File));
        Assert.Equal([File], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void ReadOrCreate_DraftOfACrash_IsReplaced()
    {
        _folder.Write("token.new", "");
        if (!OperatingSystem.IsWindows())
            System.IO.File.SetUnixFileMode(File + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        NodeTokenFile.ReadOrCreate(File);

        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead, "640")]
    [InlineData(UnixFileMode.OtherWrite, "602")]
    public void ReadOrCreate_FileOfOthers_Rejected(UnixFileMode others, string mode)
    {
        if (OperatingSystem.IsWindows())
            return;
        _folder.Write("token", "0123456789abcdef");
        System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite | others);

        var error = Assert.Throws<CommandFailedException>(() => NodeTokenFile.ReadOrCreate(File));

        Assert.Equal($"The token file {File} is accessible to other users (mode {mode}), who may know the token. Delete the file to have a new token created. To keep it: chmod 600 {File}", error.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("0123456789 abcdef")]
    public void ReadOrCreate_NoToken_Rejected(string content)
    {
        _folder.Write("token", content);
        if (!OperatingSystem.IsWindows())
            System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var error = Assert.Throws<CommandFailedException>(() => NodeTokenFile.ReadOrCreate(File));

        Assert.Equal($"The token in {File} must have at least 16 characters on one line, without spaces. Delete the file to have a new token created.", error.Message);
    }

    [Fact]
    public void ReadOrCreate_FileCannotBeCreated_Rejected()
    {
        Directory.CreateDirectory(File);

        var error = Assert.Throws<CommandFailedException>(() => NodeTokenFile.ReadOrCreate(File));

        Assert.StartsWith($"The token file {File} cannot be created: ", error.Message, StringComparison.Ordinal);
    }
}
