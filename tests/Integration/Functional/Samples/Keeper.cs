
// Added to deployments/Zoo.cs: asks for a model from another process.
[Deployment]
public sealed class Keeper(DeploymentHandle<Zoo> zoo)
{
    public async Task<Answer> Call(string animal) => await zoo.Call.Options(multiplexedModelId: animal).Remote(2);
}
