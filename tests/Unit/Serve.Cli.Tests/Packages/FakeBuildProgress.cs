using Serve.Controller.Builds;

namespace Serve.Cli.Tests.Packages;

/// <summary>Remembers what it was told.</summary>
internal sealed class FakeBuildProgress : IBuildProgressListener
{
    public List<string> Told { get; } = [];

    public void OnBuildStarted(string source) => Told.Add("begun");

    public void OnBuildSucceeded(string source, TimeSpan took) => Told.Add("done");

    public void OnBuildFailed(string source) => Told.Add("failed");
}
