
// Appended to deployments/Zoo.cs: requests a model from another process.
[Deployment]
public sealed class Keeper(DeploymentHandle<Zoo> zoo)
{
    public async Task<Answer> Call(string animal) => await zoo.Call.Options(multiplexedModelId: animal).Remote(2);
}
