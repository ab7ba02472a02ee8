using Serve.Controller.Builds;

namespace Serve.Cli.Tests.Packages;

/// <summary>Records the progress of builds.</summary>
internal sealed class FakeBuildProgress : IBuildProgressListener
{
    public List<string> Events { get; } = [];

    public void OnBuildStarted(string source) => Events.Add("started");

    public void OnBuildSucceeded(string source, TimeSpan duration) => Events.Add("succeeded");

    public void OnBuildFailed(string source) => Events.Add("failed");
}
