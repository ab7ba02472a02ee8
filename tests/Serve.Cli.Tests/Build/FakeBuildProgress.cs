using Serve.Cli.Build;

namespace Serve.Cli.Tests.Build;

/// <summary>Remembers what it was told.</summary>
internal sealed class FakeBuildProgress : IBuildProgress
{
    public List<string> Told { get; } = [];

    public void Begun(string source) => Told.Add("begun");

    public void Done(string source, TimeSpan took) => Told.Add("done");

    public void Failed(string source) => Told.Add("failed");
}
